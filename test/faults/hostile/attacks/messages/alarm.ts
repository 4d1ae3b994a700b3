import type { Scene } from '../../attack.js';
import { HostilePeer, publishFrames, repeated } from '../../hostile-peer.js';

const BODY_BYTES = 16_384;
const AT_A_TIME = 16;

/**
 * Publishes into a queue that nobody reads until publishers have to wait, then has the queue
 * emptied, and begins again when they need not wait any more.
 */
export async function raiseAlarm(scene: Scene, durable: boolean): Promise<void> {
  const publisher = await HostilePeer.open(scene);
  const queue = 'unread';
  await publisher.call(1, 'queue.declare', { queue, durable });
  const body = Buffer.alloc(BODY_BYTES);
  const deliveryMode = durable ? 2 : 1;
  const publishes = repeated(
    publishFrames(1, { routingKey: queue }, body, { deliveryMode }),
    AT_A_TIME,
  );
  let isBlocked = false;
  let changed: () => void = () => {};
  publisher.onMethod = ({ name }) => {
    isBlocked = name === 'connection.blocked';
    changed();
  };
  const change = (): Promise<void> =>
    new Promise((resolve) => {
      changed = resolve;
    });
  do {
    while (!isBlocked && publisher.isOpen) {
      await publisher.flood(publishes);
      scene.count('messages', AT_A_TIME);
    }
    scene.count('alarms');
    const unblocked = change();
    await drainQueue(scene, queue);
    await unblocked;
    scene.count('ends of alarms');
  } while (!scene.isOver);
  publisher.cut();
  await drainQueue(scene, queue);
}

async function drainQueue(scene: Scene, queue: string): Promise<void> {
  const peer = await HostilePeer.open(scene);
  await peer.call(1, 'queue.purge', { queue });
  await peer.close();
}
