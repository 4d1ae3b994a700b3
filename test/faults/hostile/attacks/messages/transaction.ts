import type { Attack } from '../../attack.js';
import { HostilePeer, publishFrames, repeated } from '../../hostile-peer.js';

const MESSAGES = 100_000;
const AT_A_TIME = 1_000;

/** A transaction that grows and is not committed; then it is undone, and the next one begins. */
export const transaction: Attack = {
  name: 'a transaction never committed',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const routingKey = await peer.ownQueue();
    await peer.call(1, 'tx.select');
    const publishes = repeated(publishFrames(1, { routingKey }, Buffer.alloc(10)), AT_A_TIME);
    while (!scene.isOver) {
      for (let sent = 0; sent < scene.many(MESSAGES) && !scene.isOver; sent += AT_A_TIME) {
        await peer.flood(publishes);
        scene.count('staged', AT_A_TIME);
      }
      await peer.call(1, 'tx.rollback');
    }
    peer.cut();
  },
};
