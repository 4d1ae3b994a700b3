import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Command, Program } from './program.js';

/** How to run a tutorial, such as `new-task`, in some language. */
export type Tutorial = (name: string, ...args: string[]) => Command;

/** Seconds a dot of work takes a worker that is not meant to finish. */
const forever = '600';

/** The tests that hold for the tutorials in every language; they print the same lines. */
export function tutorialScenarios(tutorial: Tutorial, skip: string | false): void {
  const start = async (t: TestContext, name: string, ...args: string[]): Promise<Program> => {
    const program = Program.start(t, tutorial(name, ...args));
    await program.line(/^Waiting for/);
    return program;
  };
  const run = (name: string, ...args: string[]): Promise<readonly string[]> =>
    Program.run(tutorial(name, ...args));

  test('hello: what is sent is received, in order, whoever starts first', { skip }, async (t) => {
    assert.deepEqual(await run('send', 'before'), ["Sent 'before'"]);
    const receiver = await start(t, 'receive');
    await run('send', 'one', 'two', '三');
    const received = await receiver.linesMatching(/^Received/, 4);
    assert.deepEqual(
      received,
      ['before', 'one', 'two', '三'].map((text) => `Received '${text}'`),
    );
    await receiver.interrupt();
  });

  test('work queues', { skip }, async (t) => {
    await workQueues(t, start, run);
  });

  test('publish and subscribe: every listener of the moment gets a line', { skip }, async (t) => {
    await run('emit-log', 'nobody', 'listens');
    const first = await start(t, 'receive-logs');
    await run('emit-log', 'one');
    await first.line(/^Received 'one'/);
    const second = await start(t, 'receive-logs');
    await run('emit-log', 'two');
    assert.deepEqual(await second.linesMatching(/^Received/, 1), ["Received 'two'"]);
    const expected = ["Received 'one'", "Received 'two'"];
    assert.deepEqual(await first.linesMatching(/^Received/, 2), expected);
    await Promise.all([first.interrupt(), second.interrupt()]);
  });

  test('routing: a listener gets the severities it asked for', { skip }, async (t) => {
    const errors = await start(t, 'receive-logs-direct', 'error');
    const all = await start(t, 'receive-logs-direct', 'info', 'warning', 'error');
    await run('emit-log-direct', 'info', 'a');
    await run('emit-log-direct', 'debug', 'b');
    await run('emit-log-direct', 'error', 'c', 'd');
    assert.deepEqual(await all.linesMatching(/'$/, 2), ["info: 'a'", "error: 'c d'"]);
    assert.deepEqual(await errors.linesMatching(/'$/, 1), ["error: 'c d'"]);
  });

  test('topics: *, # and several bindings at once', { skip }, async (t) => {
    await topics(t, start, run);
  });

  test('rpc: fib(30) by a callback queue and by amq.rabbitmq.reply-to', { skip }, async (t) => {
    const server = await start(t, 'rpc-server');
    assert.deepEqual(await run('rpc-client', '30'), ['Asking for fib(30)', 'Got 832040']);
    assert.deepEqual(await run('rpc-client-direct', '30'), ['Asking for fib(30)', 'Got 832040']);
    assert.equal(server.matching(/^fib\(30\)$/).length, 2);
    await server.interrupt();
  });

  test('headers: all or any of them', { skip }, async (t) => {
    const all = await start(t, 'receive-logs-headers', 'all', 'format=pdf', 'kind=report');
    const any = await start(t, 'receive-logs-headers', 'any', 'format=pdf', 'kind=report');
    await run('emit-log-headers', 'one', 'format=pdf', 'kind=letter');
    await run('emit-log-headers', 'two', 'format=zip');
    await run('emit-log-headers', 'three', 'format=pdf', 'kind=report', 'more=yes');
    const anyExpected = ["Received 'one'", "Received 'three'"];
    assert.deepEqual(await any.linesMatching(/^Received/, 2), anyExpected);
    assert.deepEqual(await all.linesMatching(/^Received/, 1), ["Received 'three'"]);
  });

  test('publisher confirms: every message is confirmed', { skip }, async () => {
    const lines = await run('publisher-confirms', '200');
    assert.match(lines[0] ?? '', /^200 of 200 confirmed one by one in \d+ ms$/);
  });
}

type Start = (t: TestContext, name: string, ...args: string[]) => Promise<Program>;
type Run = (name: string, ...args: string[]) => Promise<readonly string[]>;

async function workQueues(t: TestContext, start: Start, run: Run): Promise<void> {
  await t.test('without a prefetch limit three workers get tasks in turn', async (t) => {
    const workers: Program[] = [];
    for (let i = 0; i < 3; i++) workers.push(await start(t, 'worker', '--prefetch', '0'));
    await run('new-task', '1', '2', '3', '1', '2', '3');
    for (const [i, worker] of workers.entries()) {
      const turn = `Received '${i + 1}'`;
      assert.deepEqual(await worker.linesMatching(/^Received/, 2), [turn, turn]);
    }
    for (const worker of workers) await worker.linesMatching(/^Done/, 2);
    await Promise.all(workers.map((worker) => worker.interrupt()));
  });

  await t.test('with prefetch 1 a slow worker gets fewer; killed, its task moves on', async (t) => {
    const slow = await start(t, 'worker', '--seconds-per-dot', forever);
    await run('new-task', 'slow.');
    await slow.line(/^Received 'slow\.'$/);

    const fast = await start(t, 'worker', '--seconds-per-dot', '0.01');
    await run('new-task', 'a.', 'b.', 'c.', 'd.', 'e.', 'f.');
    await fast.linesMatching(/^Done/, 6);
    assert.equal(slow.matching(/^Received/).length, 1);

    await slow.kill();
    await fast.line(/^Received 'slow\.' \(redelivered\)$/);
    await fast.line(/^Done 'slow\.'$/);
    assert.equal(fast.matching(/redelivered/).length, 1);
  });
}

async function topics(t: TestContext, start: Start, run: Run): Promise<void> {
  const everything = await start(t, 'receive-logs-topic', '#');
  const kernel = await start(t, 'receive-logs-topic', 'kern.*');
  const critical = await start(t, 'receive-logs-topic', '*.critical');
  const both = await start(t, 'receive-logs-topic', 'kern.*', '*.critical');

  await run('emit-log-topic', 'kern', '1');
  await run('emit-log-topic', 'kern.info', '2');
  await run('emit-log-topic', 'cron.critical', '3');
  await run('emit-log-topic', 'kern.disk.critical', '4');
  await run('emit-log-topic', 'kern.critical', '5');

  const keysOf = async (program: Program): Promise<string[]> => {
    await program.line(/'5'$/); // sent last, and everyone listens for it
    return program.matching(/'\d'$/).map((line) => line.split(':')[0]!);
  };
  assert.deepEqual(await keysOf(everything), [
    'kern',
    'kern.info',
    'cron.critical',
    'kern.disk.critical',
    'kern.critical',
  ]);
  assert.deepEqual(await keysOf(kernel), ['kern.info', 'kern.critical']);
  assert.deepEqual(await keysOf(critical), ['cron.critical', 'kern.critical']);
  // It matches both of its bindings, and comes once.
  assert.deepEqual(await keysOf(both), ['kern.info', 'cron.critical', 'kern.critical']);
}
