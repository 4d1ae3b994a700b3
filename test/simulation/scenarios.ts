import { DeadLetterScenario } from './dead-letters/dead-letter-scenario.js';
import type { NewScenario } from './simulation.js';
import { QueueScenario } from './traffic/queue-scenario.js';

/** Everything that is played on disks that fail and with processes that are killed, by name. */
export const SCENARIOS: Readonly<Record<string, NewScenario>> = {
  queues: (random, burst) => new QueueScenario(random, burst),
  'dead-letters': (random, burst) => new DeadLetterScenario(random, burst),
};

/** Those of that name, or all. Throws a RangeError if there is none. */
export function scenariosNamed(name: string | undefined): readonly [string, NewScenario][] {
  const all = Object.entries(SCENARIOS);
  if (name === undefined) return all;
  const named = all.filter(([each]) => each === name);
  if (named.length === 0) throw new RangeError(`no scenario ${name}: ${Object.keys(SCENARIOS)}`);
  return named;
}
