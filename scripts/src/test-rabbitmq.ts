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

const rabbitmq = spawn(process.execPath, ['test/dist/peers/run-rabbitmq.js', '--conformance'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(rabbitmq, 'exit');
try {
  const node = await untilReady(rabbitmq);
  console.log(`testing ${node.AMQP_URL}`);
  process.exitCode = await runTests(node);
} finally {
  rabbitmq.kill('SIGTERM');
  await ended;
}

/** How the tests reach the node: variables of their environment. */
interface Node {
  readonly AMQP_URL: string;
  readonly RABBITMQCTL: string;
}

async function untilReady(child: ChildProcess): Promise<Node> {
  if (child.stdout === null) throw new Error('RabbitMQ has no stdout');
  let control = '';
  for await (const line of createInterface({ input: child.stdout })) {
    const [, what, value = ''] = /^(control|ready) (\S+)$/.exec(line) ?? [];
    if (what === 'control') control = value;
    if (what === 'ready') return { AMQP_URL: value, RABBITMQCTL: control };
  }
  throw new Error('RabbitMQ did not start; npm run setup:interop installs it');
}

async function runTests(node: Node): Promise<number> {
  // One file at a time: what one sets in the node, such as an alarm, would hold for another.
  const args = ['scripts/dist/run-tests.js', '--test-concurrency=1', ...filters];
  const tests = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...node },
    stdio: 'inherit',
  });
  await once(tests, 'exit');
  return tests.exitCode ?? 1;
}
