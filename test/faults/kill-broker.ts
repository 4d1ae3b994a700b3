/**
 * Kills brokers and looks at what is left:
 * `node test/dist/faults/kill-broker.js [--kills N] [--seed N]`.
 */
import { parseArgs } from 'node:util';
import { crash } from './crashes.js';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, kills: { type: 'string', default: '1000' } },
});
const { kills, stops, published } = await crash(Number(values.kills), Number(values.seed));
console.log(`${kills} kills, ${stops} stops, ${published} messages`);
