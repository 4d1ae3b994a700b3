import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../base/deadlines.js';
import { ManualClock } from '../../base/manual-clock.test.support.js';
import { TestMessage } from '../message.test.support.js';
import { Expiry } from './expiry.js';
import { QueueClockwork } from './queue-clockwork.test.support.js';

test('a message expires when its time is up, not before', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-message-ttl': 100 });
  world.publish(queue, 'a');
  world.clock.advance(99);
  assert.equal(queue.messageCount, 1);
  world.clock.advance(1);
  assert.equal(queue.messageCount, 0);
  assert.equal(world.clock.timers, 0);
});

test('messages expire at any position', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q');
  world.publish(queue, 'never');
  world.publish(queue, 'late', { expiration: '300' });
  world.publish(queue, 'early', { expiration: '100' });
  world.publish(queue, 'never too');
  world.clock.advance(100);
  assert.equal(queue.messageCount, 3);
  world.clock.advance(200);
  assert.deepEqual(world.drain(queue), ['never', 'never too']);
});

test('of the queue’s time to live and the message’s the smaller holds', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-message-ttl': 100 });
  world.publish(queue, 'a', { expiration: '50' });
  world.publish(queue, 'b', { expiration: '500' });
  world.clock.advance(50);
  assert.equal(queue.messageCount, 1);
  world.clock.advance(50);
  assert.equal(queue.messageCount, 0);
});

test('with 0 it is delivered at once or not at all', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-message-ttl': 0 });
  world.publish(queue, 'nobody');
  assert.equal(queue.messageCount, 0);
  const reader = world.consume(queue, { prefetchCount: 1 });
  world.publish(queue, 'somebody');
  world.publish(queue, 'nobody has credit');
  assert.deepEqual(
    reader.deliveries.map(({ label }) => label),
    ['somebody'],
  );
  assert.equal(queue.messageCount, 0);
  queue.giveBack(reader.deliveries[0]!.position);
  assert.equal(queue.messageCount, 0);
});

test('a delivered message does not expire, and keeps its deadline when it comes back', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-message-ttl': 100 });
  world.publish(queue, 'early');
  world.publish(queue, 'late');
  const [early, late] = [queue.get(false)!, queue.get(false)!];
  world.clock.advance(60);
  queue.giveBack(early.position);
  assert.equal(queue.messageCount, 1);
  world.clock.advance(40);
  assert.equal(queue.messageCount, 0);
  world.clock.advance(1_000);
  queue.giveBack(late.position);
  assert.equal(queue.messageCount, 0);
});

test('an overdue message is not delivered though its timer is late', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-message-ttl': 100 });
  world.publish(queue, 'overdue');
  // The clock has gone on, and no timer has run: the process was busy.
  const { now } = world.clock;
  world.clock.now = () => now.call(world.clock) + 100;
  world.publish(queue, 'fresh');
  assert.deepEqual(world.drain(queue), ['fresh']);
});

test('the order of what is left is what it was', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q');
  for (let i = 0; i < 2_000; i++) {
    world.publish(queue, `${i}`, i % 3 === 0 ? { expiration: '10' } : {});
  }
  const taken = [queue.get(false)!, queue.get(false)!, queue.get(false)!, queue.get(false)!];
  for (const each of taken.reverse()) queue.giveBack(each.position);
  world.clock.advance(20);
  const expected = Array.from({ length: 2_000 }, (_, i) => `${i}`).filter((_, i) => i % 3 !== 0);
  assert.deepEqual(world.drain(queue), expected);
});

test('in a priority queue too', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-priority': 9, 'x-message-ttl': 1_000 });
  for (let i = 0; i < 100; i++) {
    const message = new TestMessage(`${i}`, new Map(), false, i % 2 === 0 ? '10' : undefined);
    message.priority = i % 10;
    queue.publish(message);
  }
  world.clock.advance(10);
  assert.equal(queue.messageCount, 50);
  assert.equal(world.drain(queue)[0], '9');
  world.clock.advance(1_000);
  assert.equal(queue.messageCount, 0);
});

test('a purge and a deletion leave nothing that is due', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-message-ttl': 100 });
  for (let i = 0; i < 10; i++) world.publish(queue, `${i}`);
  assert.equal(queue.purge(), 10);
  world.clock.advance(100);
  for (let i = 0; i < 10; i++) world.publish(queue, `${i}`);
  world.vhost.queues.drop('q');
  assert.equal(world.clock.timers, 0);
});

test('many expire in slices, in the order of their deadlines, and hold nothing after', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, assert.ifError);
  const expired: number[] = [];
  const expiry = new Expiry(deadlines, 1, (position) => expired.push(position) > 0);
  for (let position = 0; position < 10_000; position++) expiry.add(position, 50);
  clock.advance(50);
  assert.equal(expired.length, 1_000);
  clock.advance(20);
  assert.equal(expired.length, 10_000);
  assert.deepEqual(
    expired,
    expired.toSorted((a, b) => a - b),
  );
  assert.deepEqual([expiry.size, clock.timers], [0, 0]);
});

test('a million with different deadlines cost 25 octets each, and few cost little', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, assert.ifError);
  let expired = 0;
  const expiry = new Expiry(deadlines, 1, () => ++expired > 0);
  const count = 1_000_000;
  const before = process.memoryUsage().arrayBuffers;
  for (let position = 0; position < count; position++) {
    expiry.add(position, 1_000 + ((position * 7_919) % 1_000_003));
  }
  const perMessage = (process.memoryUsage().arrayBuffers - before) / count;
  // The heap doubles, so that there may be room for twice as many.
  assert.ok(perMessage < 9 + 2 * 16 + 16, `${perMessage} octets a message`);
  for (let position = 0; position < count; position++) {
    if (position % 1_000 === 0) continue;
    assert.ok(!expiry.taken(position));
    expiry.removed(position);
  }
  assert.equal(expiry.size, 1_000);
  clock.advance(2_000_000);
  assert.equal(expired, 1_000);
  assert.equal(expiry.size, 0);
});
