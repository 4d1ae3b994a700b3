import { ackUpTo } from '../load/acks.js';
import type { Peers } from '../load/peers.js';
import type { SequenceCheck } from '../load/sequence-check.js';

const PREFETCH = 1_000;
const ACK_EVERY = 100;

/** What has not come for so long does not come, in milliseconds. */
const PATIENCE_MILLISECONDS = 60_000;

export interface Take {
  readonly queue: string;
  /** How many to take. */
  readonly messages: number;
  /** Whether they are acknowledged. Otherwise they go back to the queue in the end. */
  readonly acknowledges: boolean;
  readonly check: SequenceCheck;
  /** Told how many have come so far. */
  taken(count: number): void;
}

/**
 * Takes messages out of a queue, until there are as many as asked for or no more come. Returns how
 * many were marked as redelivered. The consumer's connection is closed then.
 */
export async function take(peers: Peers, taking: Take): Promise<number> {
  const { acknowledges, check, messages } = taking;
  const peer = await peers.open();
  await peer.consume(taking.queue, false, acknowledges ? PREFETCH : 0);
  let last = 0;
  let acked = 0;
  let redelivered = 0;
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    const deliver = (tag: number, isRedelivered: boolean): void => {
      last = tag;
      if (isRedelivered) redelivered++;
    };
    const body = (buffer: Buffer, start: number): void =>
      check.take(buffer.readUInt32BE(start), buffer.readUInt32BE(start + 4));
    timer = setTimeout(resolve, PATIENCE_MILLISECONDS);
    peers.scan(peer, { deliver, body }, () => {
      timer?.refresh();
      const isEnough = check.received >= messages;
      // The last chunk may be followed by another, with a heartbeat: nothing is acknowledged twice.
      if (acknowledges && last - acked >= (isEnough ? 1 : ACK_EVERY)) {
        peer.socket.write(ackUpTo(last));
        acked = last;
      }
      taking.taken(check.received);
      if (isEnough) resolve();
    });
  });
  clearTimeout(timer);
  if (acknowledges) await peers.finish(peer);
  else peers.close(peer);
  return redelivered;
}
