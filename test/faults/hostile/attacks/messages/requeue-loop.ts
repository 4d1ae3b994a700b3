import type { Attack } from '../../attack.js';
import { HostilePeer, methodFrame, publishFrames, repeated } from '../../hostile-peer.js';

const MESSAGES = 10_000;
const PREFETCH = 1_000;

/** A consumer that gives back everything it gets, for ever. */
export const requeueLoop: Attack = {
  name: 'a requeue loop',
  refusals: [],
  run: async (scene) => {
    const peer = await HostilePeer.open(scene);
    const queue = await peer.ownQueue();
    await peer.flood(
      repeated(publishFrames(1, { routingKey: queue }, Buffer.alloc(100)), scene.many(MESSAGES)),
    );
    await peer.call(1, 'basic.qos', { prefetchCount: PREFETCH });
    peer.onMethod = ({ name, args }) => {
      if (name !== 'basic.deliver') return;
      const deliveryTag = args.deliveryTag as number; // a longlong
      peer.send(methodFrame(1, 'basic.nack', { deliveryTag, requeue: true }));
      scene.count('requeued');
    };
    peer.method(1, 'basic.consume', { queue });
    await scene.over;
    peer.cut();
  },
};
