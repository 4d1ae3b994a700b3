import type { Peers } from '../load/peers.js';
import { PublishCycle } from '../load/publish-cycle.js';
import { Publisher } from '../load/publisher.js';

/** Publishes that may be unconfirmed: enough for the disk never to wait for the network. */
const CONFIRM_WINDOW = 10_000;

export interface Fill {
  readonly queue: string;
  readonly messages: number;
  readonly bodyBytes: number;
  /** Told how many are confirmed so far. */
  confirmed(count: number): void;
}

/**
 * Publishes persistent messages, numbered from 0; all are confirmed when it resolves. Returns with
 * how many answers that was.
 */
export async function fill(peers: Peers, filling: Fill): Promise<number> {
  const { queue, messages, bodyBytes } = filling;
  const publish = { exchange: '', routingKey: queue, properties: { deliveryMode: 2 }, stream: 0 };
  const cycle = new PublishCycle([publish], bodyBytes);
  const peer = await peers.open();
  const answers = await new Promise<number>((resolve) => {
    const publisher: Publisher = new Publisher(peer, cycle, {
      window: CONFIRM_WINDOW,
      least: 1,
      room: () => messages - cycle.published,
      confirmed: () => {
        const { count, nacks } = publisher.confirmed;
        if (nacks > 0) throw new Error('the broker refused messages');
        filling.confirmed(count);
        if (count === messages) resolve(publisher.confirmed.answers);
      },
    });
    publisher.start(peers);
  });
  await peers.finish(peer);
  return answers;
}
