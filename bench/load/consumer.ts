import { acksEach, ackUpTo } from './acks.js';
import type { Arrivals } from './arrivals.js';
import type { Peers } from './peers.js';

export interface Consuming {
  /** What it consumes, by name, and each one's number among the arrivals. */
  readonly queues: ReadonlyMap<string, number>;
  /** 0: deliveries need no acknowledgement. Otherwise one is sent for each so many deliveries. */
  readonly ackEvery: number;
  /** 0: no limit. */
  readonly prefetch: number;
  readonly arrivals: Arrivals;
  afterChunk(): void;
}

/** Consumes from queues over one connection; the consumer tags are the queues' numbers. */
export async function consume(peers: Peers, consuming: Consuming): Promise<void> {
  const { ackEvery, arrivals, queues } = consuming;
  const peer = await peers.open();
  const only = queues.size === 1 ? [...queues.values()][0] : undefined;
  let queue = only ?? 0;
  let last = 0;
  let acked = 0;
  const deliver = (tag: number, _redelivered: boolean, buffer: Buffer, at: number): void => {
    last = tag;
    if (only === undefined) queue = decimal(buffer, at);
  };
  const body = (buffer: Buffer, start: number): void =>
    arrivals.take(queue, buffer.readUInt32BE(start), buffer.readUInt32BE(start + 4));
  await peer.limitPrefetch(consuming.prefetch);
  peers.scan(peer, { deliver, body }, () => {
    if (ackEvery > 0 && last - acked >= ackEvery) {
      peer.socket.write(ackEvery === 1 ? acksEach(acked + 1, last) : ackUpTo(last));
      acked = last;
    }
    consuming.afterChunk();
  });
  for (const [name, number] of queues) peer.startConsumer(name, String(number), ackEvery === 0);
}

/** A short string of digits. */
function decimal(buffer: Buffer, at: number): number {
  let number = 0;
  for (let i = 1; i <= buffer[at]!; i++) number = number * 10 + buffer[at + i]! - 0x30;
  return number;
}
