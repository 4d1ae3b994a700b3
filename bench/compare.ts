/**
 * Measures the working tree against another state of the repository, round by round:
 *
 *     npm run bench:compare -- REF [--row TEXT]... [--rounds 5] [--seconds 2] [--json FILE]
 *
 * REF is checked out and built in a temporary directory. A ratio above 1 says that the working tree
 * is better; below a few percent it says nothing on a machine that has other things to do.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { leveret, ownLauncher } from './brokers/leveret.js';
import { runAndReport } from './run.js';

const { values, positionals } = parseArgs({
  options: {
    row: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
  allowPositionals: true,
});
const [ref] = positionals;
if (ref === undefined) throw new Error('name what to compare with: npm run bench:compare -- main');

const root = fileURLToPath(new URL('../..', import.meta.url));
const commit = git('rev-parse', '--short', '--verify', `${ref}^{commit}`);
const folder = join(mkdtempSync(join(tmpdir(), 'leveret-compare-')), 'tree');
git('worktree', 'add', '--detach', folder, commit);
try {
  build(folder);
  const launcher = join(folder, 'packages/server/bin/leveret.js');
  await runAndReport(
    [
      leveret({ name: 'working tree', launcher: ownLauncher, nodeOptions: [] }),
      leveret({ name: commit, launcher, nodeOptions: [] }),
    ],
    {
      rows: values.row,
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      json: values.json,
    },
  );
} finally {
  git('worktree', 'remove', '--force', folder);
  rmSync(join(folder, '..'), { recursive: true, force: true });
}

/**
 * Installs what the state asks for, and compiles the broker: the tests of it are of no interest.
 */
function build(directory: string): void {
  const run = (command: string, ...args: string[]): void => {
    console.error(`${commit}: ${command} ${args.join(' ')}`);
    execFileSync(command, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error');
  run('npx', 'tsc', '-b', 'packages/server');
  run('npm', 'run', 'bundle', '--if-present', '--workspace', 'leveret');
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}
