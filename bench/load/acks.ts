/** A basic.ack on channel 1; the delivery tag's lower half is at 15, `multiple` at 19. */
const ACK = Buffer.from('0100010000000d003c0050000000000000000000ce', 'hex');
const TAG_OFFSET = 15;
const MULTIPLE_OFFSET = 19;

/** One acknowledgement for each delivery from `first` to `last`. */
export function acksEach(first: number, last: number): Buffer {
  const acks = Buffer.allocUnsafe(ACK.length * (last - first + 1));
  let tag = first;
  for (let at = 0; at < acks.length; at += ACK.length) {
    ACK.copy(acks, at);
    acks.writeUInt32BE(tag++, at + TAG_OFFSET);
  }
  return acks;
}

/** One acknowledgement for all deliveries up to `last`. */
export function ackUpTo(last: number): Buffer {
  const ack = Buffer.from(ACK);
  ack.writeUInt32BE(last, TAG_OFFSET);
  ack[MULTIPLE_OFFSET] = 1;
  return ack;
}
