/**
 * Kills brokers and looks at what is left:
 * `node test/dist/faults/kill-broker.js [--kills N] [--seed N] [--scenario NAME]`.
 */
import { parseArgs } from 'node:util';
import { scenariosNamed } from '../simulation/scenarios.js';
import { crash } from './crashes.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '1000' },
    scenario: { type: 'string' },
  },
});
for (const [name, newScenario] of scenariosNamed(values.scenario)) {
  const summary = await crash(Number(values.kills), Number(values.seed), newScenario);
  const { kills, stops, published } = summary;
  console.log(`${name}: ${kills} kills, ${stops} stops, ${published} messages`);
}
