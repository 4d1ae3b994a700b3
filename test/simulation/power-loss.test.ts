import { test } from 'node:test';
import { SCENARIOS } from './scenarios.js';
import { simulate } from './simulation.js';

/** So many in every test run; `power-loss.js --runs N` does as many as one likes. */
const RUNS = 60;

for (const [name, newScenario] of Object.entries(SCENARIOS)) {
  test(`what was confirmed survives power losses, whatever else happens: ${name}`, async (t) => {
    for (let seed = 1; seed <= RUNS; seed++) {
      await t.test(`seed ${seed}`, async () => {
        await simulate(seed, newScenario);
      });
    }
  });
}
