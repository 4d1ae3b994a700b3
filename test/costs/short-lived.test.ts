import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Octets that one may leave behind when it is gone, until the whole heap is collected. Something
 * that holds on to all of them leaves 20,000 a connection and 3,500 a channel.
 */
const BUDGETS = { connections: 4_000, channels: 1_500 };

const PROGRAM = fileURLToPath(new URL('./short-lived.js', import.meta.url));

for (const [what, bytesMax] of Object.entries(BUDGETS)) {
  test(`${what} that are gone leave the heap with the young objects`, async () => {
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--expose-gc', PROGRAM, what]);
    const bytes = Number(stdout);
    assert.ok(stdout !== '' && bytes < bytesMax, `${bytes} octets each`);
  });
}
