import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame } from '../../hostile-peer.js';

const CONNECTIONS = 5;
const CONSUMERS = 10_000;

/** Consumers of one queue, made by the thousand and cancelled again. */
export const consumerLoop: Attack = {
  name: 'consumers made and cancelled',
  refusals: [],
  run: async (scene) => {
    const owner = await HostilePeer.open(scene);
    const queue = 'consumed';
    await owner.call(1, 'queue.declare', { queue });
    await Promise.all(Array.from({ length: CONNECTIONS }, () => consume(scene, queue)));
    await owner.call(1, 'queue.delete', { queue });
    owner.cut();
  },
};

async function consume(scene: Scene, queue: string): Promise<void> {
  for (let round = 0; !scene.isOver; round++) {
    const peer = await HostilePeer.open(scene);
    const consumers = scene.many(CONSUMERS);
    const each = (name: string, args: Record<string, string>): Promise<void> =>
      peer.floodEach(consumers, (tag) =>
        methodFrame(1, name, { ...args, consumerTag: `${tag}`, nowait: true }),
      );
    await each('basic.consume', { queue });
    await peer.settled();
    scene.count('consumers', consumers);
    // Every other time they go with their connection.
    if (round % 2 === 0) {
      await each('basic.cancel', {});
      await peer.settled();
    }
    peer.cut();
  }
}
