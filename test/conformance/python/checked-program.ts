import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Command, Program } from '../clients/program.js';

/**
 * Runs a python program of checks (`checks.py`) and turns each line of its TAP into a subtest. The
 * program must announce at least one check, report every one and end with 0.
 */
export async function runChecks(t: TestContext, command: Command): Promise<void> {
  const program = Program.start(t, command);
  const plan = /^1\.\.(\d+)$/.exec(await program.line(/^1\.\.\d+$/));
  const count = Number(plan?.[1]);
  assert.ok(count > 0, program.describe('announces no checks'));

  for (let number = 1; number <= count; number++) {
    const line = await program.line(new RegExp(`^(not )?ok ${number} - `));
    await t.test(line.replace(/^(not )?ok \d+ - /, ''), async () => {
      if (line.startsWith('ok')) return;
      // The traceback follows; the next check, or the end, says that it is complete.
      await program.end();
      assert.fail(program.describe(line));
    });
  }
  const exit = await program.end();
  assert.equal(exit.code, 0, program.describe('ended badly'));
}
