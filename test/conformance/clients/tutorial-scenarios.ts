import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Command, Program } from './program.js';

/** How to run a tutorial, such as `new-task`, in some language. */
export type Tutorial = (name: string, ...args: string[]) => Command;

/** Seconds a dot of work takes a worker that is not meant to finish. */
const forever = '600';

/** The tests that hold for the tutorials in every language; they print the same lines. */
export function tutorialScenarios(tutorial: Tutorial, skip: string | false): void {
  const runner = new Runner(tutorial);
  queueScenarios(runner, skip);
  logScenarios(runner, skip);
  topicScenarios(runner, skip);
  rpcAndConfirmScenarios(runner, skip);
}

class Runner {
  readonly #tutorial: Tutorial;

  constructor(tutorial: Tutorial) {
    this.#tutorial = tutorial;
  }

  /** Starts a program that waits for messages, once it does. */
  async start(t: TestContext, name: string, ...args: string[]): Promise<Program> {
    const program = Program.start(t, this.#tutorial(name, ...args));
    await program.line(/^Waiting for/);
    return program;
  }

  /** Runs a program to its end, and gives what it printed. */
  run(name: string, ...args: string[]): Promise<readonly string[]> {
    return Program.run(this.#tutorial(name, ...args));
  }
}

function queueScenarios(tutorials: Runner, skip: string | false): void {
  test('hello: what is sent is received, in order, whoever starts first', { skip }, async (t) => {
    assert.deepEqual(await tutorials.run('send', 'before'), ["Sent 'before'"]);
    const receiver = await tutorials.start(t, 'receive');
    await tutorials.run('send', 'one', 'two', '三');
    const expected = ['before', 'one', 'two', '三'].map((body) => `Received '${body}'`);
    assert.deepEqual(await receiver.linesMatching(/^Received/, 4), expected);
    await receiver.interrupt();
  });

  test('work queues: without a prefetch limit workers get tasks in turn', { skip }, async (t) => {
    const workers: Program[] = [];
    for (let i = 0; i < 3; i++) workers.push(await tutorials.start(t, 'worker', '--prefetch', '0'));
    await tutorials.run('new-task', '1', '2', '3', '1', '2', '3');
    for (const [i, worker] of workers.entries()) {
      const turn = `Received '${i + 1}'`;
      assert.deepEqual(await worker.linesMatching(/^Received/, 2), [turn, turn]);
      await worker.linesMatching(/^Done/, 2);
    }
    await Promise.all(workers.map((worker) => worker.interrupt()));
  });

  test('work queues: with prefetch 1 a slow worker gets fewer', { skip }, async (t) => {
    const slow = await tutorials.start(t, 'worker', '--seconds-per-dot', forever);
    await tutorials.run('new-task', 'slow.');
    await slow.line(/^Received 'slow\.'$/);

    const fast = await tutorials.start(t, 'worker', '--seconds-per-dot', '0.01');
    await tutorials.run('new-task', 'a.', 'b.', 'c.', 'd.', 'e.', 'f.');
    await fast.linesMatching(/^Done/, 6);
    assert.equal(slow.matching(/^Received/).length, 1);

    // Killed in the middle of its task: the task is given to the other one.
    await slow.kill();
    await fast.line(/^Received 'slow\.' \(redelivered\)$/);
    await fast.line(/^Done 'slow\.'$/);
    assert.equal(fast.matching(/redelivered/).length, 1);
  });
}

function logScenarios(tutorials: Runner, skip: string | false): void {
  test('publish and subscribe: every listener of the moment gets a line', { skip }, async (t) => {
    await tutorials.run('emit-log', 'nobody', 'listens');
    const first = await tutorials.start(t, 'receive-logs');
    await tutorials.run('emit-log', 'one');
    await first.line(/^Received 'one'/);
    const second = await tutorials.start(t, 'receive-logs');
    await tutorials.run('emit-log', 'two');
    assert.deepEqual(await second.linesMatching(/^Received/, 1), ["Received 'two'"]);
    const expected = ["Received 'one'", "Received 'two'"];
    assert.deepEqual(await first.linesMatching(/^Received/, 2), expected);
    await Promise.all([first.interrupt(), second.interrupt()]);
  });

  test('routing: a listener gets the severities it asked for', { skip }, async (t) => {
    const errors = await tutorials.start(t, 'receive-logs-direct', 'error');
    const all = await tutorials.start(t, 'receive-logs-direct', 'info', 'warning', 'error');
    await tutorials.run('emit-log-direct', 'info', 'a');
    await tutorials.run('emit-log-direct', 'debug', 'b');
    await tutorials.run('emit-log-direct', 'error', 'c', 'd');
    assert.deepEqual(await all.linesMatching(/'$/, 2), ["info: 'a'", "error: 'c d'"]);
    assert.deepEqual(await errors.linesMatching(/'$/, 1), ["error: 'c d'"]);
  });

  test('headers: all or any of them', { skip }, async (t) => {
    const wanted = ['format=pdf', 'kind=report'];
    const all = await tutorials.start(t, 'receive-logs-headers', 'all', ...wanted);
    const any = await tutorials.start(t, 'receive-logs-headers', 'any', ...wanted);
    await tutorials.run('emit-log-headers', 'one', 'format=pdf', 'kind=letter');
    await tutorials.run('emit-log-headers', 'two', 'format=zip');
    await tutorials.run('emit-log-headers', 'three', 'more=yes', ...wanted);
    const expected = ["Received 'one'", "Received 'three'"];
    assert.deepEqual(await any.linesMatching(/^Received/, 2), expected);
    assert.deepEqual(await all.linesMatching(/^Received/, 1), ["Received 'three'"]);
  });
}

function topicScenarios(tutorials: Runner, skip: string | false): void {
  test('topics: *, # and several bindings at once', { skip }, async (t) => {
    const everything = await tutorials.start(t, 'receive-logs-topic', '#');
    const kernel = await tutorials.start(t, 'receive-logs-topic', 'kern.*');
    const critical = await tutorials.start(t, 'receive-logs-topic', '*.critical');
    const both = await tutorials.start(t, 'receive-logs-topic', 'kern.*', '*.critical');

    const keys = ['kern', 'kern.info', 'cron.critical', 'kern.disk.critical', 'kern.critical'];
    for (const key of keys) await tutorials.run('emit-log-topic', key, 'line');

    const keysOf = async (program: Program): Promise<string[]> => {
      await program.line(/^kern\.critical:/); // sent last, and everyone listens for it
      return program.matching(/'line'$/).map((line) => line.split(':')[0]!);
    };
    assert.deepEqual(await keysOf(everything), keys);
    assert.deepEqual(await keysOf(kernel), ['kern.info', 'kern.critical']);
    assert.deepEqual(await keysOf(critical), ['cron.critical', 'kern.critical']);
    // The last matches both of its bindings, and comes once.
    assert.deepEqual(await keysOf(both), ['kern.info', 'cron.critical', 'kern.critical']);
  });
}

function rpcAndConfirmScenarios(tutorials: Runner, skip: string | false): void {
  test('rpc: fib(30) by a callback queue and by amq.rabbitmq.reply-to', { skip }, async (t) => {
    const server = await tutorials.start(t, 'rpc-server');
    const expected = ['Asking for fib(30)', 'Got 832040'];
    assert.deepEqual(await tutorials.run('rpc-client', '30'), expected);
    assert.deepEqual(await tutorials.run('rpc-client-direct', '30'), expected);
    assert.equal(server.matching(/^fib\(30\)$/).length, 2);
    await server.interrupt();
  });

  test('publisher confirms: every message is confirmed', { skip }, async () => {
    const lines = await tutorials.run('publisher-confirms', '200');
    assert.match(lines[0] ?? '', /^200 of 200 confirmed one by one in \d+ ms$/);
  });
}
