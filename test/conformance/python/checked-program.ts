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

  let failed = 0;
  for (let number = 1; number <= count; number++) {
    const line = await program.line(new RegExp(`^(not )?ok ${number} - `));
    await t.test(line.replace(/^(not )?ok \d+ - /, ''), async () => {
      if (line.startsWith('ok')) return;
      failed++;
      // The traceback follows as comments; they are complete when the program has ended.
      await program.end();
      const after = program.lines.slice(program.lines.indexOf(line) + 1);
      const end = after.findIndex((each) => !each.startsWith('#'));
      assert.fail([line, ...(end === -1 ? after : after.slice(0, end))].join('\n'));
    });
  }
  const exit = await program.end();
  if (failed === 0) assert.equal(exit.code, 0, program.describe('ended badly'));
}
