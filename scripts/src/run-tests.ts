/**
 * Runs the compiled tests of all workspaces with node's own runner:
 *
 *     node scripts/dist/run-tests.js                    all of them
 *     node scripts/dist/run-tests.js core/queue         those with this in their path
 *     node scripts/dist/run-tests.js --test-name-pattern=ttl    options go to `node --test`
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { findTests, matchesFilters } from './test-files.js';

/** A test file that takes longer hangs; it is ended and counted as failed. */
const fileTimeoutSeconds = 300;

const root = process.cwd();
const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('-'));
const filters = args.filter((arg) => !arg.startsWith('-'));

const found = findTests(root);
const chosen = found.current.filter((test) => matchesFilters(test, filters));
for (const { compiled } of found.stale) console.log(`not run, its source is gone: ${compiled}`);

if (chosen.length === 0) {
  console.error(`no test file matches ${filters.join(', ') || 'anything'}; is it built?`);
  process.exitCode = 1;
} else {
  process.exitCode = await run(chosen.map((test) => test.compiled));
}

function run(files: readonly string[]): Promise<number> {
  const reporter = fileURLToPath(new URL('./test-reporter.js', import.meta.url));
  const runner = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      '--test',
      `--test-concurrency=${availableParallelism()}`,
      `--test-timeout=${fileTimeoutSeconds * 1000}`,
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      ...options,
      ...files,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  return new Promise((resolve, reject) => {
    runner.once('error', reject);
    runner.once('exit', (code) => resolve(code ?? 1));
  });
}
