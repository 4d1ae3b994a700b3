import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../base/deadlines.js';
import { ManualClock } from '../../../base/manual-clock.test.support.js';
import { DeliveryTimeouts } from './delivery-timeouts.js';

interface World {
  readonly clock: ManualClock;
  readonly timeouts: DeliveryTimeouts;
  readonly unacked: Set<number>;
  readonly late: number[];
}

function setUp(): World {
  const clock = new ManualClock();
  const unacked = new Set<number>();
  const late: number[] = [];
  const timeouts: DeliveryTimeouts = new DeliveryTimeouts(
    new Deadlines(clock, assert.ifError),
    (tag) => unacked.has(tag),
    (tag) => {
      late.push(tag);
      timeouts.stop();
    },
  );
  return { clock, timeouts, unacked, late };
}

test('the first delivery that is too late is told of, and then it is over', () => {
  const { clock, timeouts, unacked, late } = setUp();
  for (const [tag, milliseconds] of [
    [1, 300],
    [2, 100],
    [3, 200],
  ] as const) {
    unacked.add(tag);
    timeouts.add(tag, milliseconds);
  }
  clock.advance(99);
  assert.deepEqual(late, []);
  clock.advance(1);
  assert.deepEqual(late, [2]);
  clock.advance(1_000);
  assert.deepEqual(late, [2]);
  assert.equal(clock.timers, 0);
});

test('what is acknowledged in time is not', () => {
  const { clock, timeouts, unacked, late } = setUp();
  for (let tag = 1; tag <= 10_000; tag++) {
    unacked.add(tag);
    timeouts.add(tag, 100);
    if (tag > 10) unacked.delete(tag - 10);
    clock.advance(1);
  }
  assert.deepEqual(late, []);
  clock.advance(90);
  assert.deepEqual(late, [9_991]);
});
