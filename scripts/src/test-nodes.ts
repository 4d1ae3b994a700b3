/**
 * Runs the packages' own tests and the process tests on other versions of Node.js, which npm
 * downloads: `node scripts/dist/test-nodes.js [version ...]`. What is tested is what was built.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const supported = ['22', '24', '26'];
const filters = ['packages/', 'test/process/'];

const runTests = fileURLToPath(new URL('./run-tests.js', import.meta.url));
const given = process.argv.slice(2);
const failed: string[] = [];

for (const version of given.length > 0 ? given : supported) {
  console.log(`\nNode.js ${version}\n`);
  const command = ['--yes', `node@${version}`, runTests, ...filters];
  const run = spawnSync('npx', command, { stdio: 'inherit' });
  if (run.status !== 0) failed.push(version);
}

console.log(failed.length === 0 ? '\nall passed' : `\nfailed on Node.js ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
