/**
 * Attacks brokers, one hostile peer after the other, while others go on publishing and consuming,
 * and prints how they fared: `node test/dist/faults/hostile/hostile.js [--only text] [--rate N]`.
 * Exits with 1 if the others were slowed more than is promised, or anything else went wrong.
 */
import { parseArgs } from 'node:util';
import { Authority } from '../../tls/certificates.js';
import { ATTACKS } from './attacks.js';
import { FIGURES_HEAD, figuresOf, slownessOf } from './figures.js';
import { attackBroker, BESIDES_MESSAGES_BYTES, type Pace } from './trial.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '6' },
  },
});
const pace: Pace = {
  warming: 2_000,
  calm: 3_000,
  attack: Number(values.seconds) * 1_000,
  scale: 1,
  rate: Number(values.rate),
};

const cleanups: (() => void)[] = [];
const authority = new Authority({ after: (cleanup) => void cleanups.push(cleanup) });
const tls = authority.sign('localhost', 'IP:127.0.0.1');
console.log(`${pace.rate} messages/s, persistent and confirmed; before an attack, and during it`);
console.log(`the process may take ${BESIDES_MESSAGES_BYTES >> 20} MiB more than its messages may`);
console.log(
  'waited: for a processor; with a ! the machine was too busy to measure how slow others were',
);
console.log(FIGURES_HEAD);
for (const attack of ATTACKS.filter(({ name }) => name.includes(values.only))) {
  const outcome = await attackBroker(attack, tls, pace);
  console.log(figuresOf(attack, outcome));
  const faults = [...slownessOf(attack, outcome), ...outcome.faults];
  for (const fault of faults) console.log(`    FAULT: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
}
for (const cleanup of cleanups) cleanup();
