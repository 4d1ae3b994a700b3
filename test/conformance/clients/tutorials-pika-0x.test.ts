import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { runChecks } from '../python/checked-program.js';
import { pythonCommand, withoutPython } from '../python/interpreter.js';
import { type Command, Program } from './program.js';
import { repositoryPath } from './repository.js';
import { takeTutorialTurn } from './tutorial-turn.js';

// The programs in examples/tutorials/pika-0.x, with the adapter that carries them to pika 1.x.

const broker = await brokerUnderTest();
const skip = await withoutPython('pika');
await takeTutorialTurn(broker);

const adapted = (program: string, ...args: string[]): Command =>
  pythonCommand(repositoryPath(program), args, {
    AMQP_URL: broker.url,
    PYTHONPATH: repositoryPath('examples/tutorials/pika-0.x/pika_compat'),
    PYTHONDONTWRITEBYTECODE: '1',
  });

const old = (name: string, ...args: string[]): Command =>
  adapted(`examples/tutorials/pika-0.x/${name}.py`, ...args);

async function start(t: TestContext, name: string, ...args: string[]): Promise<Program> {
  const program = Program.start(t, old(name, ...args));
  await program.line(/^waiting for/);
  return program;
}

test('without the adapter pika 1.x refuses an old program', { skip }, async (t) => {
  const { file, args } = old('receive');
  const program = Program.start(t, { file, args, env: { AMQP_URL: broker.url } });
  await program.line(/Error/);
  assert.notEqual((await program.end()).code, 0);
});

test('hello, without and with acknowledgements', { skip }, async (t) => {
  assert.deepEqual(await Program.run(old('send')), ['sent one message']);
  const receiver = await start(t, 'receive');
  await receiver.line(/^received b'a hare says hello'$/);
  await receiver.kill();

  const acking = await start(t, 'receive_and_ack');
  await Program.run(old('send'));
  await Program.run(old('send'));
  await acking.linesMatching(/^received b'a hare says hello'$/, 2);
  const deliveries = acking.matching(/Basic\.Deliver/);
  assert.match(deliveries[1] ?? '', /'delivery_tag=2'.*'redelivered=False', 'routing_key=hello'/);
});

test('work queues: in turn, and from a killed worker to another', { skip }, async (t) => {
  const workers = [await start(t, 'worker')];
  workers.push(await start(t, 'worker_round_robin'), await start(t, 'worker_round_robin'));
  for (const task of ['1', '2', '3', '1', '2']) await Program.run(old('new_task', task));
  const long = `3${'.'.repeat(600)}`;
  await Program.run(old('new_task', long));
  for (const [i, worker] of workers.entries()) {
    const received = await worker.linesMatching(/^received/, 2);
    assert.ok(received.every((line) => line.startsWith(`received b'${i + 1}`)));
  }
  await workers[2]?.kill();
  await workers[1]?.kill();
  await workers[0]?.line(/^received b'3\.+' again$/);
});

test('fanout, direct and topic logs', { skip }, async (t) => {
  const [all, errors, topics] = await Promise.all([
    start(t, 'receive_logs'),
    start(t, 'receive_logs_direct', 'warning', 'error'),
    start(t, 'receive_logs_topic', 'kern.*', '*.critical'),
  ]);
  await Program.run(old('emit_log', 'to', 'all'));
  await Program.run(old('emit_log_direct'));
  await Program.run(old('emit_log_direct', 'error', 'bad'));
  await Program.run(old('emit_log_topic'));
  await Program.run(old('emit_log_topic', 'cron.critical', 'worse'));
  await Program.run(old('emit_log_topic', 'kern.critical', 'worst'));
  assert.equal(await all.line(/^received/), "received b'to all'");
  assert.deepEqual(await errors.linesMatching(/^'/, 1), ["'error':b'bad'"]);
  const critical = ["'cron.critical':b'worse'", "'kern.critical':b'worst'"];
  assert.deepEqual(await topics.linesMatching(/^'/, 2), critical);
});

test('rpc: fib(30)', { skip }, async (t) => {
  await start(t, 'rpc_server');
  assert.deepEqual(await Program.run(old('rpc_client')), ['asking for fib(30)', 'got 832040']);
});

test('the other old signatures', { skip }, async (t) => {
  await runChecks(t, adapted('test/conformance/python/pika_0x_signatures.py'));
});
