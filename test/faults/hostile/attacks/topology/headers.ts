import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame, publishFrames } from '../../hostile-peer.js';

const BINDINGS = 500;
const ENTRIES = Object.fromEntries(
  Array.from({ length: 1_000 }, (_, number) => [`header-${number}`, number]),
);

/** Bindings that ask for a thousand headers each, and messages that have them. */
export const headers: Attack = {
  name: 'headers by the thousand',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const queue = await peer.ownQueue({ 'x-max-length': 10 });
    const args = { queue, exchange: 'amq.headers', nowait: true };
    await peer.floodEach(scene.many(BINDINGS), (number) => {
      const wanted = { ...ENTRIES, 'x-match': 'all', [`only-${number}`]: 'x' };
      return methodFrame(1, 'queue.bind', { ...args, arguments: wanted });
    });
    await peer.settled();
    const exchange = 'amq.headers';
    const publish = publishFrames(1, { exchange }, Buffer.alloc(1), { headers: ENTRIES });
    while (!scene.isOver) {
      await peer.flood(publish);
      scene.count('messages');
    }
    peer.cut();
  },
};
