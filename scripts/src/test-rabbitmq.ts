/**
 * Holds a real RabbitMQ to the conformance suite, which is how its expectations were found:
 * `node scripts/dist/test-rabbitmq.js [filter ...]`. The node is its own, on loopback, and goes
 * when the tests have run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const given = process.argv.slice(2);
const filters = given.length > 0 ? given : ['test/conformance/'];

const rabbitmq = spawn(process.execPath, ['test/dist/peers/run-rabbitmq.js'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(rabbitmq, 'exit');
try {
  const url = await readyUrl(rabbitmq);
  console.log(`testing ${url}`);
  process.exitCode = await runTests(url);
} finally {
  rabbitmq.kill('SIGTERM');
  await ended;
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('RabbitMQ has no stdout');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('RabbitMQ did not start; npm run setup:interop installs it');
}

async function runTests(url: string): Promise<number> {
  const tests = spawn(process.execPath, ['scripts/dist/run-tests.js', ...filters], {
    cwd: root,
    env: { ...process.env, AMQP_URL: url },
    stdio: 'inherit',
  });
  await once(tests, 'exit');
  return tests.exitCode ?? 1;
}
