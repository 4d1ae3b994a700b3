import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const BINDINGS = 20_000;

/** Bindings of one queue made by the thousand, and undone one by one. */
export const bindings: Attack = {
  name: 'bindings made in a loop',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const queue = await peer.ownQueue();
    while (!scene.isOver) {
      for (const method of ['queue.bind', 'queue.unbind']) {
        await peer.floodEach(scene.many(BINDINGS), (number) => {
          const routingKey = `a.*.${number}.#`;
          scene.count(method);
          return methodFrame(1, method, { queue, exchange: 'amq.topic', routingKey });
        });
        await peer.settled();
      }
    }
    peer.cut();
  },
};
