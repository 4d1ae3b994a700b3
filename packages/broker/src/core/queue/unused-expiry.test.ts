import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueClockwork } from './queue-clockwork.test.support.js';

function setUp(): { world: QueueClockwork; isThere: () => boolean } {
  const world = new QueueClockwork();
  return { world, isThere: () => world.vhost.queues.get('q') !== undefined };
}

test('a queue goes when it has not been used for its time', () => {
  const { world, isThere } = setUp();
  const queue = world.declare('q', { 'x-expires': 100 });
  world.clock.advance(99);
  assert.ok(isThere());
  queue.get(true);
  world.clock.advance(99);
  assert.ok(isThere());
  queue.used();
  world.clock.advance(99);
  assert.ok(isThere());
  // Publishing to it is no use.
  world.publish(queue, 'message');
  world.clock.advance(1);
  assert.ok(!isThere());
  assert.equal(world.clock.timers, 0);
});

test('it stays while it has consumers; the time runs from when the last has gone', () => {
  const { world, isThere } = setUp();
  const queue = world.declare('q', { 'x-expires': 100 });
  const [a, b] = [world.consume(queue), world.consume(queue)];
  world.clock.advance(1_000);
  queue.cancel(a.consumer);
  world.clock.advance(1_000);
  assert.ok(isThere());
  queue.cancel(b.consumer);
  world.clock.advance(99);
  assert.ok(isThere());
  world.clock.advance(1);
  assert.ok(!isThere());
});

test('settings that change are counted from the change', () => {
  const { world, isThere } = setUp();
  const queue = world.declare('q');
  world.clock.advance(1_000);
  queue.applySettings({ ...queue.settings, expiresMilliseconds: 50 });
  world.clock.advance(40);
  queue.applySettings({ ...queue.settings, expiresMilliseconds: 60 });
  world.clock.advance(59);
  assert.ok(isThere());
  queue.applySettings({ ...queue.settings, expiresMilliseconds: undefined });
  world.clock.advance(1_000);
  assert.ok(isThere());
});
