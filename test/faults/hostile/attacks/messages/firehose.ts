import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, publishFrames, repeated } from '../../hostile-peer.js';

const CONNECTIONS = 10;
const QUEUE_LENGTH = 1_000;
const AT_A_TIME = 2_000;

/** Publishers that know no pause, with messages as small as they get. */
export const firehose: Attack = {
  name: 'publishers without a pause',
  refusals: [],
  run: async (scene) => {
    await Promise.all(Array.from({ length: CONNECTIONS }, () => publish(scene)));
  },
};

async function publish(scene: Scene): Promise<void> {
  const peer = await HostilePeer.open(scene);
  const routingKey = await peer.ownQueue({ 'x-max-length': QUEUE_LENGTH });
  const publishes = repeated(publishFrames(1, { routingKey }, Buffer.alloc(1)), AT_A_TIME);
  while (!scene.isOver) {
    await peer.flood(publishes);
    scene.count('messages', AT_A_TIME);
  }
  peer.cut();
}
