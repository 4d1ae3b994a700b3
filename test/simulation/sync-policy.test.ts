import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '../wire/seeded-random.js';
import { NOTHING_MORE } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { bodyOf, idOf } from './traffic/bodies.js';
import { World } from './world.js';

const INTERVAL = { milliseconds: 1_000 };
const FILE_BYTES = 8_192;

/** Publishes messages to a queue, and waits for their confirms. */
async function publish(world: World, queue: string, ids: readonly number[]): Promise<void> {
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
async function drain(world: World, queue: string): Promise<number[]> {
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

for (const sync of [INTERVAL, 'never'] as const) {
  const name = typeof sync === 'object' ? 'an interval' : sync;
  test(`${name}: what was on the disk stays there when the files it was in are given up`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const disk = new FaultyFiles({ seed });
      const world = await World.open(disk, random, { fileBytes: FILE_BYTES, sync });
      await publish(world, 'kept', [1, 2, 3]);
      disk.writeBack();
      const all = Array.from({ length: 60 }, (_, i) => 100 + i);
      for (let round = random.below(6); round >= 0; round--) {
        await publish(world, 'passing', all);
        await drain(world, 'passing');
        for (let turn = random.below(200); turn > 0; turn--) await nextTurn();
      }
      world.cut();
      const content = disk.crash(seed === 1 ? NOTHING_MORE : undefined);
      const last = await World.open(new FaultyFiles({ content }), random, {
        fileBytes: FILE_BYTES,
      });
      assert.deepEqual(await drain(last, 'kept'), [1, 2, 3], `seed ${seed}: ${last.log.join()}`);
      last.cut();
    }
  });
}
