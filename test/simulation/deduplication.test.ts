import { test } from 'node:test';
import { simulateDeduplication } from './deduplication.js';

/** So many runs in every test run. */
const RUNS = 30;

test('what is sent again after a power loss is there once', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await t.test(`seed ${seed}`, async () => {
      await simulateDeduplication(seed);
    });
  }
});
