import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./run-tests.js', import.meta.url));

const passing = "import { it } from 'node:test';\nit('passes', () => {});\n";
const skipped =
  "import { it } from 'node:test';\nit('waits', { skip: 'no such peer' }, () => {});\n";
const failing = [
  "import { describe, it } from 'node:test';",
  "describe('a suite', () => {",
  "  it('breaks', () => { throw new Error('what broke'); });",
  '});',
].join('\n');

/** Compiled tests; a source stands beside each unless the tree says otherwise. */
const tree: Readonly<Record<string, string>> = {
  'packages/a/src/deep/one.test.ts': '',
  'packages/a/dist/deep/one.test.js': passing,
  'packages/a/dist/deep/gone.test.js': failing,
  'test/two.test.ts': '',
  'test/dist/two.test.js': skipped,
};
const brokenTree = { ...tree, 'scripts/src/bad.test.ts': '', 'scripts/dist/bad.test.js': failing };

describe('run-tests', () => {
  it('runs what has a source, and closes with the skipped and the counts of the runner', () => {
    const run = runTests(tree);
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.match(run.stdout, /its source is gone: packages\/a\/dist\/deep\/gone\.test\.js/);
    assert.match(run.stdout, /^✔ packages\/a\/dist\/deep\/one\.test\.js \(1 tests, \d+ ms\)$/m);
    assert.match(run.stdout, /^Skipped \(1\):\n {2}waits: no such peer\n\n# tests 2\n/m);
    assert.match(run.stdout, /^# pass 1\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n.*\n$/m);
  });

  it('exits 1 and names the failure and its cause', () => {
    const run = runTests(brokenTree);
    assert.equal(run.status, 1);
    assert.match(
      run.stdout,
      /^✖ a suite > breaks \(scripts\/dist\/bad\.test\.js:3\)\n {4}Error: what broke/m,
    );
    assert.match(run.stdout, /^Failed \(1\):\n {2}a suite > breaks \(/m);
    assert.match(run.stdout, /^# fail 1$/m);
  });

  it('counts a file that cannot be loaded as a failure', () => {
    const run = runTests({ ...tree, 'test/dist/two.test.js': "throw new Error('on load');\n" });
    assert.equal(run.status, 1);
    assert.match(run.stdout, /on load/);
    assert.match(run.stdout, /^# fail 1$/m);
  });

  it('takes parts of paths as filters, and hands options to the runner', () => {
    assert.match(runTests(brokenTree, 'src/deep').stdout, /^# tests 1\n[\s\S]*^# pass 1$/m);
    assert.match(runTests(brokenTree, './test/two.test.ts').stdout, /^# skipped 1$/m);
    const none = runTests(tree, 'src/deep', '--test-name-pattern=nothing has this name');
    assert.match(none.stdout, /one\.test\.js \(0 tests/);
    assert.doesNotMatch(none.stdout, /Skipped/);
  });

  it('exits 1 when no file matches', () => {
    const run = runTests(tree, 'no/such/path');
    assert.equal(run.status, 1);
    assert.match(run.stderr, /no test file matches no\/such\/path/);
  });
});

function runTests(files: Readonly<Record<string, string>>, ...args: readonly string[]): Run {
  const root = mkdtempSync(join(tmpdir(), 'leveret-run-tests-'));
  try {
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    // Without this the runner takes itself for a test file and reports in another form.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    return spawnSync(process.execPath, [program, ...args], { cwd: root, env, encoding: 'utf8' });
  } finally {
    rmSync(root, { recursive: true });
  }
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
