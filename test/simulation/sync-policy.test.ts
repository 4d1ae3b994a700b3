import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '../wire/seeded-random.js';
import { NOTHING_MORE } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { drain, idsFrom, publish } from './traffic/errands.js';
import { World } from './world.js';

const INTERVAL = { milliseconds: 1_000 };
const FILE_BYTES = 8_192;

for (const sync of [INTERVAL, 'never'] as const) {
  const name = typeof sync === 'object' ? 'an interval' : sync;
  test(`${name}: what was on the disk stays there when the files it was in are given up`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new SeededRandom(seed);
      const disk = new FaultyFiles({ seed });
      const world = await World.open(disk, random, { fileBytes: FILE_BYTES, sync });
      await publish(world, 'kept', [1, 2, 3]);
      disk.writeBack();
      for (let round = random.below(6); round >= 0; round--) {
        await publish(world, 'passing', idsFrom(100, 60));
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
