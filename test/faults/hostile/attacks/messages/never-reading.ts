import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, publishFrames, repeated } from '../../hostile-peer.js';

const CONNECTIONS = 100;
/** Messages a queue keeps: the rest is dropped, so that it is not the queues that fill memory. */
const QUEUE_LENGTH = 100;

const EXCHANGE = 'amq.fanout';
const PUBLISHES = repeated(publishFrames(1, { exchange: EXCHANGE }, Buffer.alloc(1_000)), 50);

/** Consumers that read nothing, auto-ack and not, on queues that a firehose fills. */
export const neverReading: Attack = {
  name: 'consumers that never read',
  refusals: [],
  run: async (scene) => {
    const all = Array.from({ length: scene.many(CONNECTIONS) }, (_, i) => consume(scene, i));
    const peers = await Promise.all(all);
    const publisher = await HostilePeer.open(scene);
    while (!scene.isOver) {
      await publisher.flood(PUBLISHES);
      scene.count('messages', 50);
    }
    for (const peer of [publisher, ...peers]) peer.cut();
  },
};

async function consume(scene: Scene, number: number): Promise<HostilePeer> {
  const peer = await HostilePeer.open(scene);
  const queue = await peer.ownQueue({ 'x-max-length': QUEUE_LENGTH });
  await peer.call(1, 'queue.bind', { queue, exchange: EXCHANGE });
  await peer.call(1, 'basic.consume', { queue, noAck: number % 2 === 0 });
  peer.socket.pause();
  return peer;
}
