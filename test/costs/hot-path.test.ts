import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Cost } from './hot-path.js';

/** What a message may cost. Counts, not times: they are the same on every machine. */
interface Budget {
  readonly workload: string;
  /** Octets on the JavaScript heap. A ratchet: lower it when the path allocates less. */
  readonly heapBytesAMessage: number;
}

const BUDGETS: readonly Budget[] = [
  { workload: 'auto-ack', heapBytesAMessage: 130 },
  { workload: 'ack-each', heapBytesAMessage: 500 },
  { workload: 'confirmed', heapBytesAMessage: 1_050 },
];

/** What a batch may cost in promises, however many messages it holds. */
const PROMISES_A_BATCH = 16;

const PROGRAM = fileURLToPath(new URL('./hot-path.js', import.meta.url));

/** Room for everything that is allocated meanwhile, so that nothing is collected. */
const NODE_OPTIONS = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];

async function costOf(workload: string, ...args: readonly string[]): Promise<Cost> {
  const run = promisify(execFile);
  const command = [...NODE_OPTIONS, PROGRAM, workload, ...args];
  return JSON.parse((await run(process.execPath, command)).stdout);
}

for (const { workload, heapBytesAMessage } of BUDGETS) {
  test(`${workload}: a message allocates at most ${heapBytesAMessage} octets`, async () => {
    const { heapBytes, messages } = await costOf(workload);
    assert.ok(typeof heapBytes === 'number', 'the heap was not collected meanwhile');
    const each = heapBytes / messages;
    assert.ok(each <= heapBytesAMessage, `${each} octets a message`);
    // A count of next to nothing would say that nothing was counted.
    assert.ok(each > 1, `${each} octets a message`);
  });
}

for (const workload of ['auto-ack', 'ack-each']) {
  test(`${workload}: no message makes a promise`, async () => {
    const { promises, messages } = await costOf(workload, 'promises');
    assert.ok(messages > 10_000);
    assert.equal(promises, 0);
  });
}

test('confirmed: promises are made for batches, not for messages', async () => {
  const { promises, messages, durableWrites } = await costOf('confirmed', 'promises');
  assert.ok(messages > 10 * durableWrites);
  assert.ok(promises > 0, 'promises are counted');
  assert.ok(promises <= PROMISES_A_BATCH * durableWrites, `${promises} for ${durableWrites}`);
});

test('confirmed: all that came in a turn is one write, one sync and one confirm', async () => {
  const { chunks, confirms, durableWrites, syncs } = await costOf('confirmed');
  assert.deepEqual(
    { confirms, durableWrites, syncs },
    {
      confirms: chunks,
      durableWrites: chunks,
      syncs: 0,
    },
  );
});
