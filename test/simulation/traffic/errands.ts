import type { World } from '../world.js';
import { bodyOf, idOf } from './bodies.js';

/** Publishes messages to a durable queue, which it declares, and waits for their confirms. */
export async function publish(world: World, queue: string, ids: readonly number[]): Promise<void> {
  let confirmed: () => void = () => {};
  const all = new Promise<void>((resolve) => {
    confirmed = resolve;
  });
  const onConfirm = (tag: number): void => {
    if (tag === ids.length) confirmed();
  };
  const client = await world.connect({ onConfirm });
  await world.wait(client.call('confirm.select'));
  await world.wait(client.call('queue.declare', { queue, durable: true }));
  for (const id of ids) {
    client.publish({ routingKey: queue }, bodyOf(id, 100), { deliveryMode: 2 });
  }
  await world.wait(all);
  client.cut();
}

/** Takes everything out of a queue; returns the ids. */
export async function drain(world: World, queue: string): Promise<number[]> {
  const client = await world.connect();
  const ids: number[] = [];
  for (;;) {
    const { method, body } = await world.wait(client.call('basic.get', { queue, noAck: true }));
    if (method.name === 'basic.get-empty') break;
    ids.push(idOf(body));
  }
  client.cut();
  return ids;
}

/** Whole numbers from `from` on. */
export function idsFrom(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}
