import { test } from 'node:test';
import { crash } from './crashes.js';

/** So many in every test run; `kill-broker.js --kills N` does as many as one likes. */
const KILLS = 50;

test('what was confirmed is there when the process was killed', { timeout: 300_000 }, async () => {
  await crash(KILLS, 1);
});
