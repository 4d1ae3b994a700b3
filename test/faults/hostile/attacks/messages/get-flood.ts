import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, methodFrame, publishFrames, repeated } from '../../hostile-peer.js';

const CONNECTIONS = 10;
const AT_A_TIME = 500;

/** basic.get as fast as it goes, of something and of nothing; some read no answer. */
export const getFlood: Attack = {
  name: 'a flood of basic.get',
  refusals: [],
  run: async (scene) => {
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, number) => flood(scene, number)));
  },
};

async function flood(scene: Scene, number: number): Promise<void> {
  const peer = await HostilePeer.open(scene);
  const queue = await peer.ownQueue({ 'x-max-length': AT_A_TIME });
  const message = publishFrames(1, { routingKey: queue }, Buffer.alloc(100));
  const get = methodFrame(1, 'basic.get', { queue, noAck: true });
  const octets = repeated(number % 2 === 0 ? get : Buffer.concat([message, get]), AT_A_TIME);
  if (number % 3 === 0) peer.socket.pause();
  while (!scene.isOver) {
    await peer.flood(octets);
    scene.count('gets', AT_A_TIME);
  }
  peer.cut();
}
