import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable } from '@leveret/amqp';
import fc from 'fast-check';
import { Refusal } from '../refusal.js';
import { QueueWorld } from './queue-world.test.support.js';

const KINDS = {
  publish: 10,
  subscribe: 3,
  acknowledge: 5,
  giveBack: 3,
  get: 2,
  close: 2,
  open: 2,
  cancel: 1,
  purge: 1,
  group: 1,
} as const;

/** What is done, and numbers to choose by. */
interface Step {
  readonly kind: keyof typeof KINDS;
  readonly n: number;
  readonly m: number;
}

const step: fc.Arbitrary<Step> = fc.record(
  {
    kind: fc.oneof(
      // Object.entries forgets what the keys are.
      ...(Object.entries(KINDS) as [Step['kind'], number][]).map(([kind, weight]) => ({
        weight,
        arbitrary: fc.constant(kind),
      })),
    ),
    n: fc.nat(20),
    m: fc.nat(3),
  },
  { noNullPrototype: true },
);

function priorities(maximum: number): FieldTable {
  return new Map([['x-max-priority', { type: 'I', value: maximum }]]);
}

function run(world: QueueWorld, { kind, n, m }: Step): void {
  const { subscribers, outstanding } = world;
  const live = subscribers.filter((each) => !each.isCancelled);
  const chosen = live[n % live.length];
  const settled = outstanding.slice(n % (outstanding.length + 1));
  switch (kind) {
    case 'publish':
      world.publish(n % 5);
      return;
    case 'subscribe':
      world.subscribe({ noAck: n % 2 === 0, prefetchCount: m, priority: n % 3 === 0 ? 5 : 0 });
      return;
    case 'cancel':
      if (chosen !== undefined) world.cancel(chosen);
      return;
    case 'acknowledge':
      world.settle(settled.slice(0, 1), 'acknowledge');
      return;
    case 'giveBack':
      world.settle(settled.slice(0, m), 'giveBack');
      return;
    case 'get':
      world.get(m === 0);
      return;
    case 'close':
      if (chosen !== undefined) chosen.isOpen = false;
      return;
    case 'open':
      for (const each of live) world.open(each);
      return;
    case 'purge':
      world.purge();
      return;
    case 'group':
      world.group(m > 0);
  }
}

test('whatever happens: order, credit, counts and memory are right, and nothing waits in vain', () => {
  const maximum = fc.constantFrom(0, 0, 2);
  fc.assert(
    fc.property(maximum, fc.array(step, { maxLength: 100, size: 'max' }), (maxPriority, steps) => {
      const world = new QueueWorld({ arguments: priorities(maxPriority) });
      for (const each of steps) {
        run(world, each);
        world.check();
      }
      world.delete();
      world.check();
      world.settle(world.outstanding.slice(), 'giveBack');
      world.check();
    }),
    { numRuns: 300 },
  );
});

test('a message goes through an empty queue to a noAck consumer without being kept', () => {
  const world = new QueueWorld();
  const { received } = world.subscribe({ noAck: true });
  const message = world.publish();
  assert.deepEqual(received, ['m0']);
  assert.equal(message.kept, undefined);
});

test('messages go round among consumers, each within its prefetch', () => {
  const world = new QueueWorld();
  const a = world.subscribe({ prefetchCount: 1 });
  const b = world.subscribe({ prefetchCount: 2 });
  for (let i = 0; i < 5; i++) world.publish();
  assert.deepEqual([a.received, b.received], [['m0'], ['m1', 'm2']]);
  assert.equal(world.queue.messageCount, 2);
  world.settle(world.outstanding.slice(0, 1), 'acknowledge');
  assert.deepEqual(a.received, ['m0', 'm3']);
});

test('what is given back goes to its old place, ahead of what was never delivered', () => {
  const world = new QueueWorld();
  for (let i = 0; i < 6; i++) world.publish();
  for (let i = 0; i < 4; i++) world.get(false);
  world.settle([world.outstanding[3]!, world.outstanding[1]!], 'giveBack');
  const { received } = world.subscribe();
  assert.deepEqual(received, ['m1', 'm3', 'm4', 'm5']);
});

test('purge leaves what has been delivered, and says how much it took', () => {
  const world = new QueueWorld();
  for (let i = 0; i < 5; i++) world.publish();
  world.get(false);
  world.get(false);
  world.settle(world.outstanding.slice(0, 1), 'giveBack');
  assert.equal(world.purge(), 4);
  world.check();
  world.settle(world.outstanding.slice(), 'giveBack');
  assert.equal(world.get(true), 'm1');
});

test('deleting cancels the consumers, and what was delivered may still be settled', () => {
  const world = new QueueWorld();
  const consumer = world.subscribe();
  world.publish();
  world.publish();
  world.delete();
  assert.equal(consumer.isCancelled, true);
  assert.equal(world.queue.consumerCount, 0);
  const [first, second] = world.outstanding;
  world.settle([first!], 'acknowledge');
  world.settle([second!], 'giveBack');
  world.check();
});

test('a queue that has gone takes nothing, and holds nothing', () => {
  const world = new QueueWorld();
  world.delete();
  const message = world.publish();
  assert.equal(world.queue.messageCount, 0);
  assert.equal(message.kept?.holders ?? 0, 0);
});

test('an exclusive consumer is alone: it comes to none, and none comes to it', () => {
  const inUse = (error: unknown): boolean =>
    error instanceof Refusal &&
    error.reason === 'access-refused' &&
    error.message === "queue 'q' in vhost '/' in exclusive use";
  const world = new QueueWorld();
  const first = world.subscribe();
  assert.throws(() => world.subscribe({ exclusive: true }), inUse);
  world.cancel(first);
  const alone = world.subscribe({ exclusive: true });
  assert.throws(() => world.subscribe(), inUse);
  assert.throws(() => world.subscribe({ exclusive: true }), inUse);
  world.publish();
  assert.deepEqual(alone.received, ['m0']);
  world.cancel(alone);
  world.subscribe();
  assert.equal(world.queue.consumerCount, 1);
});

test('an auto-delete queue goes when its last consumer has gone, and not before', () => {
  const world = new QueueWorld({ autoDelete: true });
  assert.equal(world.isDeclared, true, 'one that never had a consumer stays');
  const a = world.subscribe();
  const b = world.subscribe();
  world.cancel(a);
  assert.equal(world.isDeclared, true);
  world.cancel(b);
  assert.equal(world.isDeclared, false);
  const plain = new QueueWorld();
  plain.cancel(plain.subscribe());
  assert.equal(plain.isDeclared, true);
});

test('every message there is can be visited, delivered ones included', () => {
  const world = new QueueWorld({ arguments: priorities(3) });
  const published = [0, 3, 1, 0].map((priority) => world.publish(priority));
  world.get(false);
  world.get(true);
  const visited: unknown[] = [];
  world.queue.forEachMessage((message) => visited.push(message));
  const expected = [published[0], published[1], published[3]].map((each) => each?.kept);
  assert.deepEqual(new Set(visited), new Set(expected));
});
