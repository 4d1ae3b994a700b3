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

/** What Leveret has without asking, and RabbitMQ in plugins. */
const plugins = [
  'rabbitmq_consistent_hash_exchange',
  'rabbitmq_random_exchange',
  'rabbitmq_recent_history_exchange',
  'rabbitmq_sharding',
  'rabbitmq_event_exchange',
];

const rabbitmq = spawn(process.execPath, ['test/dist/peers/run-rabbitmq.js', ...plugins], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(rabbitmq, 'exit');
try {
  const { url, control } = await ready(rabbitmq);
  console.log(`testing ${url}`);
  process.exitCode = await runTests(url, control);
} finally {
  rabbitmq.kill('SIGTERM');
  await ended;
}

async function ready(child: ChildProcess): Promise<{ url: string; control: string }> {
  if (child.stdout === null) throw new Error('RabbitMQ has no stdout');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url, control] = /^ready (\S+) (.+)/.exec(line) ?? [];
    if (url !== undefined && control !== undefined) return { url, control };
  }
  throw new Error('RabbitMQ did not start; npm run setup:interop installs it');
}

async function runTests(url: string, control: string): Promise<number> {
  const tests = spawn(process.execPath, ['scripts/dist/run-tests.js', ...filters], {
    cwd: root,
    env: { ...process.env, AMQP_URL: url, RABBITMQCTL: control },
    stdio: 'inherit',
  });
  await once(tests, 'exit');
  return tests.exitCode ?? 1;
}
