import { test } from 'node:test';
import { simulateWaiting } from './waiting.js';

/** So many in every test run. */
const RUNS = 60;

test('what waits is neither early nor lost, however often the power goes', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await t.test(`seed ${seed}`, async () => {
      await simulateWaiting(seed);
    });
  }
});
