import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const CONNECTIONS = 4;
const QUEUES = 5_000;

/** Queues declared in a loop, bound, and gone with their connection. */
export const declarations: Attack = {
  name: 'queues declared in a loop',
  refusals: [],
  run: async (scene) => {
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => declare(scene, number)));
  },
};

async function declare(scene: Scene, number: number): Promise<void> {
  while (!scene.isOver) {
    const peer = await HostilePeer.open(scene);
    const queues = scene.many(QUEUES);
    await peer.floodEach(queues, (i) => {
      const queue = `declared-${number}-${i}`;
      const bound = { queue, exchange: 'amq.direct', routingKey: queue, nowait: true };
      scene.count('queues');
      return Buffer.concat([
        methodFrame(1, 'queue.declare', { queue, exclusive: true, nowait: true }),
        methodFrame(1, 'queue.bind', bound),
      ]);
    });
    await peer.settled();
    // The broker has let go of them when it agrees.
    await peer.close();
  }
}
