import { headersOf, wayOf } from '../wire/deaths.js';
import { SeededRandom } from '../wire/seeded-random.js';
import type { FaultyFiles } from './faulty-files.js';
import { bodyOf, idOf } from './traffic/bodies.js';
import { exists } from './traffic/inspection.js';
import { World } from './world.js';

/** Queues that a short history uses. */
const NAMES = ['q0', 'q1', 'urgent', 'mortal'];

/** Id of a message that only finds out where it gets to. */
const PROBE = 1_000_000;

/**
 * What a broker has that starts on a disk: queues, their messages in order, and how often those
 * have come back and died; routes; as text.
 */
export async function observe(disk: FaultyFiles, fileBytes: number): Promise<string> {
  const world = await World.open(disk, new SeededRandom(2), { fileBytes });
  const lines: string[] = [];
  const there: string[] = [];
  for (const name of NAMES) if (await exists(world, 'queue', name)) there.push(name);
  const hasFan = await exists(world, 'exchange', 'fan');
  const client = await world.connect();
  if (hasFan) {
    client.publish({ exchange: 'fan' }, bodyOf(PROBE, 0), {});
    await world.wait(client.roundTrip());
  }
  lines.push(`fan: ${hasFan}`);
  for (const queue of there) {
    const found: string[] = [];
    for (;;) {
      const answer = await world.wait(client.call('basic.get', { queue }));
      if (answer.method.name === 'basic.get-empty') break;
      const returns = headersOf(answer)['x-delivery-count'] ?? '';
      found.push([idOf(answer.body), returns, ...wayOf(answer)].join(' ').trim());
    }
    lines.push(`${queue}: ${found.join(', ')}`);
  }
  world.cut();
  const alarming = world.log.filter((line) => /damaged|missing|lost|cut off|Error/.test(line));
  return [...lines, ...alarming].join('\n');
}
