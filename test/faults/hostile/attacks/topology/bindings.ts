import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const BINDINGS = 20_000;
const AT_A_TIME = 200;

/** Bindings of one queue made by the thousand, and undone one by one. */
export const bindings: Attack = {
  name: 'bindings made in a loop',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const queue = await peer.ownQueue();
    while (!scene.isOver) {
      for (const method of ['queue.bind', 'queue.unbind']) {
        for (let first = 0; first < scene.many(BINDINGS); first += AT_A_TIME) {
          const frames = Array.from({ length: AT_A_TIME }, (_, i) =>
            methodFrame(1, method, {
              queue,
              exchange: 'amq.topic',
              routingKey: `a.*.${first + i}.#`,
            }),
          );
          await peer.flood(Buffer.concat(frames));
          scene.count(method, AT_A_TIME);
          if (scene.isOver) break;
        }
        await peer.settled();
      }
    }
    peer.cut();
  },
};
