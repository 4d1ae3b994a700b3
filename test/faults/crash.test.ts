import { test } from 'node:test';
import { SCENARIOS } from '../simulation/scenarios.js';
import { crash } from './crashes.js';

/** So many in every test run; `kill-broker.js --kills N` does as many as one likes. */
const KILLS = 30;

for (const [name, newScenario] of Object.entries(SCENARIOS)) {
  const title = `what was confirmed is there when the process was killed: ${name}`;
  test(title, { timeout: 300_000 }, async () => {
    await crash(KILLS, 1, newScenario);
  });
}
