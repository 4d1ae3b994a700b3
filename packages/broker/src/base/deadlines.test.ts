import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from './deadlines.js';
import { ManualClock } from './manual-clock.test.support.js';

function setUp(): { clock: ManualClock; deadlines: Deadlines; rung: string[] } {
  const clock = new ManualClock();
  const rung: string[] = [];
  const deadlines = new Deadlines(clock, (error) => rung.push(String(error)));
  return { clock, deadlines, rung };
}

test('alarms ring at their time, in order of time, behind a single timer', () => {
  const { clock, deadlines, rung } = setUp();
  for (const at of [50, 10, 30, 20, 40]) {
    deadlines.alarm(() => rung.push(`${at}`)).set(at);
    assert.equal(clock.timers, 1);
  }
  clock.advance(25);
  assert.deepEqual(rung, ['10', '20']);
  clock.advance(25);
  assert.deepEqual(rung, ['10', '20', '30', '40', '50']);
  assert.deepEqual([clock.timers, deadlines.size], [0, 0]);
});

test('an alarm is put off, brought forward and called off', () => {
  const { clock, deadlines, rung } = setUp();
  const alarm = deadlines.alarm(() => rung.push('a'));
  const other = deadlines.alarm(() => rung.push('b'));
  alarm.set(10);
  other.set(20);
  alarm.set(30);
  clock.advance(25);
  assert.deepEqual(rung, ['b']);
  other.set(100);
  other.set(26);
  clock.advance(5);
  assert.deepEqual(rung, ['b', 'b', 'a']);
  alarm.set(40);
  alarm.clear();
  alarm.clear();
  clock.advance(100);
  assert.equal(rung.length, 3);
  assert.equal(clock.timers, 0);
});

test('an alarm that sets itself for now rings again, but not in the same turn', () => {
  const { clock, deadlines, rung } = setUp();
  const alarm = deadlines.alarm(() => {
    rung.push('again');
    if (rung.length < 3) alarm.set(deadlines.now());
  });
  alarm.set(10);
  clock.advance(10);
  assert.equal(rung.length, 1);
  clock.advance(2);
  assert.equal(rung.length, 3);
});

test('an alarm may call off or set another that is due at the same time', () => {
  const { clock, deadlines, rung } = setUp();
  const second = deadlines.alarm(() => rung.push('second'));
  deadlines.alarm(() => second.clear()).set(10);
  second.set(10.5);
  clock.advance(11);
  assert.deepEqual(rung, []);
});

test('an alarm that throws is told of, and the others ring', () => {
  const { clock, deadlines, rung } = setUp();
  deadlines
    .alarm(() => {
      throw new Error('bug');
    })
    .set(10);
  deadlines.alarm(() => rung.push('next')).set(10);
  clock.advance(10);
  assert.deepEqual(rung, ['Error: bug', 'next']);
});

test('a time further off than a timer reaches is waited for all the same', () => {
  const { clock, deadlines, rung } = setUp();
  const year = 365 * 86_400_000;
  deadlines.alarm(() => rung.push('late')).set(10 * year);
  clock.advance(10 * year - 1);
  assert.deepEqual(rung, []);
  clock.advance(1);
  assert.deepEqual(rung, ['late']);
});

test('many alarms, set and called off at random, ring as a sorted list says', () => {
  const { clock, deadlines, rung } = setUp();
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const times = new Map<number, number>();
  const alarms = Array.from({ length: 200 }, (_, i) => deadlines.alarm(() => rung.push(`${i}`)));
  for (let step = 0; step < 2_000; step++) {
    const i = random(200);
    if (random(4) === 0) {
      times.delete(i);
      alarms[i]!.clear();
    } else {
      const at = 1 + random(1_000_000);
      times.set(i, at);
      alarms[i]!.set(at);
    }
  }
  assert.equal(deadlines.size, times.size);
  clock.advance(1_000_001);
  const expected = [...times].sort((a, b) => a[1] - b[1]).map(([i]) => times.get(i));
  assert.deepEqual(
    rung.map((i) => times.get(Number(i))),
    expected,
  );
});
