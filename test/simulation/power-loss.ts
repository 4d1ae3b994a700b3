/**
 * Simulated power losses:
 * `node test/dist/simulation/power-loss.js [--seed N] [--runs N] [--scenario NAME]`.
 * Each run has a seed of its own, one after the other; a failure prints its seed, and
 * `--seed N --runs 1` plays it again. Without a name every scenario is played with every seed.
 */
import { parseArgs } from 'node:util';
import { scenariosNamed } from './scenarios.js';
import { simulate } from './simulation.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    scenario: { type: 'string' },
  },
});
const first = Number(values.seed);
for (const [name, newScenario] of scenariosNamed(values.scenario)) {
  const failed: number[] = [];
  let published = 0;
  let crashes = 0;
  for (let seed = first; seed < first + Number(values.runs); seed++) {
    try {
      const summary = await simulate(seed, newScenario);
      published += summary.published;
      crashes += summary.crashes;
    } catch (error) {
      console.error(`${name}, seed ${seed}:`, error);
      failed.push(seed);
    }
  }
  console.log(`${name}: ${values.runs} runs, ${crashes} crashes, ${published} messages`);
  if (failed.length > 0) {
    console.log(`${name}: failed: ${failed.join(' ')}`);
    process.exitCode = 1;
  }
}
