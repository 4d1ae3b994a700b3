import type { Attack, Scene } from '../../attack.js';
import { HostilePeer, publishFrames, repeated } from '../../hostile-peer.js';

const MESSAGES = 100_000;
const AT_A_TIME = 1_000;
const TAG = 'greedy';

/** A consumer that takes everything and acknowledges nothing; then all of it comes back at once. */
export const unacknowledged: Attack = {
  name: 'enormous unacknowledged',
  refusals: [],
  run: async (scene) => {
    const publisher = await HostilePeer.open(scene);
    const routingKey = await publisher.ownQueue();
    const publishes = repeated(publishFrames(1, { routingKey }, Buffer.alloc(10)), AT_A_TIME);
    const messages = Math.ceil(scene.many(MESSAGES) / AT_A_TIME) * AT_A_TIME;
    for (let sent = 0; sent < messages; sent += AT_A_TIME) {
      await publisher.flood(publishes);
    }
    await publisher.settled();
    for (let round = 0; !scene.isOver; round++) {
      await takeAll(scene, publisher, routingKey, messages);
      // They are given back by a nack, or by the end of the channel.
      if (round % 2 === 0) {
        publisher.method(2, 'basic.cancel', { consumerTag: TAG });
        publisher.method(2, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: true });
      }
      await publisher.call(2, 'channel.close', { replyCode: 200 });
    }
    publisher.cut();
  },
};

/** On the connection whose queue it is: nobody else may. */
async function takeAll(
  scene: Scene,
  peer: HostilePeer,
  queue: string,
  messages: number,
): Promise<void> {
  let taken = 0;
  await peer.call(2, 'channel.open');
  await new Promise<void>((resolve) => {
    peer.onMethod = ({ name }) => {
      if (name === 'basic.deliver' && ++taken === messages) resolve();
    };
    void scene.over.then(resolve);
    peer.method(2, 'basic.consume', { queue, consumerTag: TAG });
  });
  scene.count('unacknowledged', taken);
}
