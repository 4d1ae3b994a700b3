import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../refusal.js';
import { QueueClockwork } from './queue-clockwork.test.support.js';

const SINGLE = { 'x-single-active-consumer': true };

test('the first gets everything; the next takes over where it left off', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', SINGLE);
  const [a, b] = [world.consume(queue), world.consume(queue)];
  for (const label of ['1', '2']) world.publish(queue, label);
  assert.deepEqual([a.deliveries.length, b.deliveries.length], [2, 0]);
  queue.cancel(a.consumer);
  for (const { position } of a.deliveries) queue.giveBack(position);
  queue.drain();
  world.publish(queue, '3');
  assert.deepEqual(
    b.deliveries.map(({ label, redelivered }) => [label, redelivered]),
    [
      ['1', true],
      ['2', true],
      ['3', false],
    ],
  );
});

test('while it is full nobody gets anything; with credit again it goes on', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', SINGLE);
  const active = world.consume(queue, { prefetchCount: 1 });
  const waiting = world.consume(queue);
  for (const label of ['1', '2']) world.publish(queue, label);
  assert.deepEqual([active.deliveries.length, waiting.deliveries.length], [1, 0]);
  queue.acknowledge(active.deliveries[0]!.position);
  active.consumer.unacked--;
  queue.resume(active.consumer);
  assert.deepEqual([active.deliveries.length, waiting.deliveries.length], [2, 0]);
});

test('the next is the one with the highest priority, the earliest of these', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', SINGLE);
  const first = world.consume(queue, { priority: -1 });
  const low = world.consume(queue);
  const high = world.consume(queue, { priority: 5 });
  const highToo = world.consume(queue, { priority: 5 });
  const order = [first, high, highToo, low];
  for (const each of order) {
    assert.equal(queue.activeConsumer, each.consumer);
    queue.cancel(each.consumer);
  }
  assert.equal(queue.activeConsumer, undefined);
});

test('one that goes while it waits is passed over', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', SINGLE);
  const [a, b, c] = [world.consume(queue), world.consume(queue), world.consume(queue)];
  queue.cancel(b.consumer);
  queue.cancel(a.consumer);
  assert.equal(queue.activeConsumer, c.consumer);
});

test('nobody can have it to himself, and a quorum queue cannot be got from', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', SINGLE);
  assert.throws(() => world.consume(queue, { exclusive: true }), Refusal);
  queue.checkGettable('/');
  const quorum = world.declare('quorum', { ...SINGLE, 'x-queue-type': 'quorum' });
  assert.throws(() => quorum.checkGettable('/'), Refusal);
});
