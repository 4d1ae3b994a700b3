/**
 * Simulated power losses: `node test/dist/simulation/power-loss.js [--seed N] [--runs N]`.
 * Each run has a seed of its own, one after the other; a failure prints its seed, and
 * `--seed N --runs 1` plays it again.
 */
import { parseArgs } from 'node:util';
import { simulate } from './simulation.js';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, runs: { type: 'string', default: '1' } },
});
const first = Number(values.seed);
const failed: number[] = [];
let published = 0;
let crashes = 0;
for (let seed = first; seed < first + Number(values.runs); seed++) {
  try {
    const summary = await simulate(seed);
    published += summary.published;
    crashes += summary.crashes;
  } catch (error) {
    console.error(`seed ${seed}:`, error);
    failed.push(seed);
  }
}
console.log(`${values.runs} runs, ${crashes} crashes, ${published} messages`);
if (failed.length > 0) {
  console.log(`failed: ${failed.join(' ')}`);
  process.exitCode = 1;
}
