import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plain } from '../plain-table.test.support.js';
import { QueueClockwork } from './queue-clockwork.test.support.js';

function countsOf(world: QueueClockwork, args: Readonly<Record<string, Plain>>): unknown[] {
  const queue = world.declare('q', args);
  world.publish(queue, 'message');
  const counts: unknown[] = [];
  for (let taken = queue.get(false); taken && counts.length < 4; taken = queue.get(false)) {
    counts.push(taken.message.headers().get('x-delivery-count')?.value);
    queue.giveBack(taken.position);
  }
  return counts;
}

test('a quorum queue tells how often a message has come back', () => {
  const counts = countsOf(new QueueClockwork(), { 'x-queue-type': 'quorum' });
  assert.deepEqual(counts, [undefined, 1n, 2n, 3n]);
});

test('so does any other with a limit', () => {
  const counts = countsOf(new QueueClockwork(), { 'x-delivery-limit': 9 });
  assert.deepEqual(counts, [undefined, 1n, 2n, 3n]);
});

test('a classic queue without one does not', () => {
  const counts = countsOf(new QueueClockwork(), {});
  assert.deepEqual(counts, [undefined, undefined, undefined, undefined]);
});

test('a message may come back as often as the limit says, and then dies', () => {
  assert.deepEqual(countsOf(new QueueClockwork(), { 'x-delivery-limit': 2 }).length, 3);
  assert.deepEqual(countsOf(new QueueClockwork(), { 'x-delivery-limit': 0 }).length, 1);
  assert.deepEqual(countsOf(new QueueClockwork(), { 'x-delivery-limit': -1 }).length, 4);
});

test('a limit that comes later counts what was counted before', () => {
  const world = new QueueClockwork();
  const queue = world.declare('q', { 'x-queue-type': 'quorum' });
  world.publish(queue, 'message');
  for (let i = 0; i < 3; i++) queue.giveBack(queue.get(false)!.position);
  queue.applySettings({ ...queue.settings, deliveryLimit: 3 });
  queue.giveBack(queue.get(false)!.position);
  assert.equal(queue.messageCount, 0);
});
