import { test } from 'node:test';
import { simulate } from './simulation.js';

/** So many runs in every test run; `power-loss.js --runs N` does as many as one likes. */
const RUNS = 60;

test('what was confirmed survives power losses, whatever else happens', async (t) => {
  for (let seed = 1; seed <= RUNS; seed++) {
    await t.test(`seed ${seed}`, async () => {
      await simulate(seed);
    });
  }
});
