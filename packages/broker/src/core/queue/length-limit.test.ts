import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueClockwork } from './queue-clockwork.test.support.js';

test('x-max-length: the oldest goes, whatever is delivered', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-length': 3 });
  for (const label of ['a', 'b', 'c', 'd']) world.publish(queue, label);
  const taken = queue.get(false)!;
  world.publish(queue, 'e');
  assert.equal(queue.messageCount, 3);
  queue.giveBack(taken.position);
  assert.deepEqual(world.drain(queue), ['c', 'd', 'e']);
});

test('x-max-length-bytes counts what is ready', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-length-bytes': 6 });
  for (const label of ['aaa', 'bbb']) world.publish(queue, label);
  const a = queue.get(false)!;
  world.publish(queue, 'ccc');
  assert.equal(queue.messageCount, 2);
  queue.acknowledge(a.position);
  const b = queue.get(false)!;
  world.publish(queue, 'ddd');
  queue.giveBack(b.position);
  assert.deepEqual(world.drain(queue), ['ccc', 'ddd']);
  world.publish(queue, 'eeeeee');
  assert.deepEqual(world.drain(queue), ['eeeeee']);
});

test('an expired message makes room', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-length-bytes': 4, 'x-overflow': 'reject-publish' });
  assert.ok(world.publish(queue, 'aa', { expiration: '10' }));
  assert.ok(world.publish(queue, 'bb'));
  assert.ok(!world.publish(queue, 'cc'));
  world.clock.advance(10);
  assert.ok(world.publish(queue, 'cc'));
  assert.deepEqual(world.drain(queue), ['bb', 'cc']);
});

test('a purge makes room', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-length-bytes': 4, 'x-overflow': 'reject-publish' });
  assert.ok(world.publish(queue, 'aaaa'));
  queue.purge();
  assert.ok(world.publish(queue, 'bbbb'));
});

test('reject-publish refuses, though somebody has room if the limit is 0', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-length': 1, 'x-overflow': 'reject-publish' });
  assert.deepEqual([world.publish(queue, 'a'), world.publish(queue, 'b')], [true, false]);
  const none = world.declare('none', { 'x-max-length': 0, 'x-overflow': 'reject-publish' });
  const reader = world.consume(none);
  assert.ok(!world.publish(none, 'a'));
  assert.equal(reader.deliveries.length, 0);
});

test('what a transaction publishes is judged as a whole, with those who wait for it', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-max-length': 2, 'x-overflow': 'reject-publish' });
  assert.ok(!queue.wouldRefuse(2, 20));
  assert.ok(queue.wouldRefuse(3, 30));
  world.consume(queue, { prefetchCount: 5 });
  assert.ok(!queue.wouldRefuse(7, 70));
  assert.ok(queue.wouldRefuse(8, 80));
  world.consume(queue, { noAck: true });
  assert.ok(!queue.wouldRefuse(1_000, 10_000));
});

test('settings that change drop what is too much by now', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q');
  for (const label of ['a', 'b', 'c', 'd']) world.publish(queue, label);
  queue.applySettings({ ...queue.settings, maxLength: 3 });
  assert.equal(queue.messageCount, 3);
  queue.applySettings({ ...queue.settings, maxLength: undefined, maxLengthBytes: 2 });
  assert.deepEqual(world.drain(queue), ['c', 'd']);
  queue.applySettings({ ...queue.settings, maxLengthBytes: undefined });
  for (const label of ['a', 'b', 'c', 'd']) world.publish(queue, label);
  assert.equal(queue.messageCount, 4);
});
