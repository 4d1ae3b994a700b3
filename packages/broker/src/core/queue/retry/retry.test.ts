import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestMessage } from '../../message.test.support.js';
import { plainOf } from '../../plain-table.test.support.js';
import { assertRefused } from '../../refusal.test.support.js';
import type { Queue } from '../queue.js';
import { QueueClockwork, type Reader } from '../queue-clockwork.test.support.js';

/** Waits 100 ms, 200 ms, 300 ms and so on. */
const LINEAR = {
  'x-delayed-retry-type': 'all',
  'x-delayed-retry-min': 100,
  'x-delayed-retry-max': 250,
};

/** Takes the first message and gives it back. */
function fail(queue: Queue, how: 'returned' | 'failed' | 'rejected' = 'returned'): void {
  const { position } = queue.get(false)!;
  if (how === 'rejected') queue.reject(position);
  else queue.giveBack(position, how);
}

/** After how long each message that comes back is ready again, one time after the other. */
function waits(
  world: QueueClockwork,
  queue: Queue,
  times: number,
  how?: 'returned' | 'failed' | 'rejected',
): number[] {
  return Array.from({ length: times }, () => {
    fail(queue, how);
    let waited = 0;
    for (; queue.messageCount === 0 && waited < 10_000; waited++) world.clock.advance(1);
    return waited;
  });
}

function labelsOf(reader: Reader): string[] {
  return reader.deliveries.map(({ label }) => label);
}

describe('x-delayed-retry-type', () => {
  test('all: what comes back waits longer each time, up to the maximum', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q', LINEAR);
    world.publish(queue, 'a');
    assert.deepEqual(waits(world, queue, 3), [100, 200, 250]);
    assert.deepEqual(waits(world, queue, 1, 'failed'), [250]);
    const count = queue.get(false)?.message.headers().get('x-delivery-count');
    assert.deepEqual(count, { type: 'l', value: 4n });
  });

  test('returned, failed: the others are ready at once', () => {
    for (const [type, expected] of [
      ['returned', [100, 0]],
      ['failed', [0, 100]],
      ['disabled', [0, 0]],
    ] as const) {
      const world = new QueueClockwork();
      const queue = world.declare('q', { ...LINEAR, 'x-delayed-retry-type': type });
      const found = (['returned', 'failed'] as const).map((how) => {
        world.publish(queue, 'a');
        const [waited] = waits(world, queue, 1, how);
        queue.purge();
        return waited;
      });
      assert.deepEqual(found, expected, type);
    }
  });

  test('without a maximum the wait is always the same, and without a minimum there is none', () => {
    const world = new QueueClockwork();
    const args = { 'x-delayed-retry-type': 'all', 'x-delayed-retry-min': 50 };
    const queue = world.declare('q', args);
    world.publish(queue, 'a');
    assert.deepEqual(waits(world, queue, 2), [50, 50]);
    const other = world.declare('other', { 'x-delayed-retry-type': 'all' });
    world.publish(other, 'a');
    assert.deepEqual(waits(world, other, 1), [0]);
  });

  test('what is rejected dies at once, as ever; the end is the delivery limit', () => {
    const world = new QueueClockwork();
    const dead = world.declare('dead');
    const letters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    const queue = world.declare('q', { ...LINEAR, ...letters, 'x-delivery-limit': 2 });
    world.publish(queue, 'a');
    fail(queue, 'rejected');
    assert.deepEqual(world.drain(dead), ['a']);
    world.publish(queue, 'b');
    assert.deepEqual(waits(world, queue, 2), [100, 200]);
    fail(queue);
    const [death] = deathsOf(dead);
    assert.equal(death?.reason, 'delivery_limit');
  });
});

function deathsOf(dead: Queue): Record<string, unknown>[] {
  const header = plainOf(dead.get(true)!.message.headers())['x-death'];
  // What a dead letter has there.
  return header as Record<string, unknown>[];
}

describe('x-retry-delay', () => {
  const ARGS = { 'x-retry-delay': 100, 'x-retry-max-delay': 300, 'x-retry-max-count': 3 };

  test('what comes back however waits, twice as long each time up to the maximum', () => {
    for (const how of ['returned', 'failed', 'rejected'] as const) {
      const world = new QueueClockwork();
      const queue = world.declare('q', ARGS);
      world.publish(queue, 'a');
      assert.deepEqual(waits(world, queue, 3, how), [100, 200, 300], how);
    }
  });

  test('dies when it comes back once more than it may; without a dead letter it is gone', () => {
    for (const [how, reason] of [
      ['returned', 'delivery_limit'],
      ['rejected', 'rejected'],
    ] as const) {
      const world = new QueueClockwork();
      const dead = world.declare('dead');
      const letters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
      const queue = world.declare('q', { ...ARGS, ...letters });
      world.publish(queue, 'a');
      waits(world, queue, 3, how);
      assert.equal(dead.messageCount, 0);
      fail(queue, how);
      assert.equal(deathsOf(dead)[0]?.reason, reason);
    }
    const world = new QueueClockwork();
    const queue = world.declare('q', { ...ARGS, 'x-retry-max-count': 0 });
    world.publish(queue, 'a');
    fail(queue);
    world.clock.advance(10_000);
    assert.equal(queue.messageCount + queue.waitingCount, 0);
  });

  test('x-delivery-limit ends it too, whichever is less; the default is 20', () => {
    const world = new QueueClockwork();
    const limited = world.declare('limited', { ...ARGS, 'x-delivery-limit': 1 });
    world.publish(limited, 'a');
    waits(world, limited, 1);
    fail(limited);
    assert.equal(limited.waitingCount, 0);
    const queue = world.declare('q', { 'x-retry-delay': 1, 'x-retry-delay-multiplier': 1 });
    world.publish(queue, 'a');
    assert.deepEqual(
      waits(world, queue, 20),
      Array.from({ length: 20 }, () => 1),
    );
    fail(queue);
    assert.equal(queue.waitingCount, 0);
  });

  test('with jitter a wait is shorter by up to that share of it', () => {
    const world = new QueueClockwork();
    const args = { 'x-retry-delay': 1_000, 'x-retry-delay-multiplier': 1, 'x-retry-jitter': 1 };
    const queue = world.declare('q', { ...args, 'x-retry-max-count': 1_000 });
    world.publish(queue, 'a');
    const found = waits(world, queue, 60);
    assert.ok(found.every((wait) => wait >= 1 && wait <= 1_000));
    assert.ok(new Set(found).size > 20);
  });
});

describe('a message that waits to be tried again', () => {
  test('lets the others pass, and comes back to its place', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q', LINEAR);
    for (const label of ['a', 'b', 'c']) world.publish(queue, label);
    fail(queue);
    assert.equal(queue.get(false)?.message.body().toString(), 'b');
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['a', 'c']);
  });

  test('goes to a consumer that waits, redelivered', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q', LINEAR);
    const reader = world.consume(queue);
    world.publish(queue, 'a');
    queue.giveBack(reader.deliveries[0]!.position);
    queue.drain();
    world.clock.advance(99);
    assert.deepEqual(labelsOf(reader), ['a']);
    world.clock.advance(1);
    assert.deepEqual(labelsOf(reader), ['a', 'a']);
    assert.equal(reader.deliveries[1]?.redelivered, true);
  });

  test('keeps its priority', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q', { ...LINEAR, 'x-max-priority': 5 });
    const urgent = new TestMessage('urgent');
    urgent.priority = 5;
    queue.publish(urgent);
    world.publish(queue, 'a');
    fail(queue);
    assert.equal(queue.get(false)?.message.body().toString(), 'a');
    world.publish(queue, 'b');
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['urgent', 'b']);
  });

  test('expires when it would have', () => {
    const world = new QueueClockwork();
    const dead = world.declare('dead');
    const letters = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    const queue = world.declare('q', { ...LINEAR, ...letters, 'x-message-ttl': 60 });
    world.publish(queue, 'a');
    fail(queue);
    world.clock.advance(59);
    assert.equal(queue.waitingCount, 1);
    world.clock.advance(1);
    assert.equal(queue.waitingCount, 0);
    assert.equal(deathsOf(dead)[0]?.reason, 'expired');
    world.clock.advance(100);
    assert.equal(queue.messageCount, 0);
    assert.equal(world.clock.timers, 0);
  });

  test('counts where the length is limited', () => {
    const world = new QueueClockwork();
    const full = { 'x-max-length': 2, 'x-overflow': 'reject-publish' };
    const queue = world.declare('q', { ...LINEAR, ...full });
    world.publish(queue, 'a');
    fail(queue);
    assert.equal(world.publish(queue, 'b'), true);
    assert.equal(world.publish(queue, 'c'), false);
    const dropping = world.declare('dropping', { ...LINEAR, 'x-max-length-bytes': 2 });
    world.publish(dropping, 'a');
    fail(dropping);
    for (const label of ['b', 'c']) world.publish(dropping, label);
    world.clock.advance(100);
    assert.deepEqual(world.drain(dropping), ['a', 'c']);
    assert.deepEqual(world.drain(queue), ['a', 'b']);
  });

  test('makes room when it expires', () => {
    const world = new QueueClockwork();
    const full = { 'x-max-length-bytes': 2, 'x-overflow': 'reject-publish' };
    const queue = world.declare('q', { ...LINEAR, ...full });
    world.publish(queue, 'a', { expiration: '60' });
    fail(queue);
    world.clock.advance(60);
    assert.equal(queue.waitingCount, 0);
    assert.equal(world.publish(queue, 'b'), true);
    assert.equal(world.publish(queue, 'c'), true);
    assert.equal(world.publish(queue, 'd'), false);
  });

  test('is purged with the others, and keeps a queue from being empty', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q', LINEAR);
    for (const label of ['a', 'b']) world.publish(queue, label);
    fail(queue);
    world.drain(queue);
    assertRefused(
      () => world.vhost.queues.delete('q', {}, { ifEmpty: true, ifUnused: false }),
      'precondition-failed',
      "queue 'q' in vhost '/' not empty",
    );
    assert.equal(queue.purge(), 1);
    assert.equal(queue.waitingCount, 0);
    world.clock.advance(100);
    assert.equal(queue.messageCount, 0);
  });

  test('goes with its queue', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q', LINEAR);
    world.publish(queue, 'a');
    fail(queue);
    queue.delete();
    assert.equal(world.clock.timers, 0);
  });

  test('waits on when the policy that made it wait goes', () => {
    const world = new QueueClockwork();
    const queue = world.declare('q');
    const definition = { 'retry-delay': 100, 'retry-max-count': 5 };
    world.vhost.policies.set({ name: 'p', pattern: 'q', definition });
    for (const label of ['a', 'b']) world.publish(queue, label);
    fail(queue);
    world.vhost.policies.delete('p');
    fail(queue);
    assert.equal(queue.messageCount, 1);
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['a', 'b']);
  });
});
