import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../manual-clock.test.support.js';
import { Turn } from '../turn.js';
import { Slice } from './slice.js';
import { type Slicer, TimeSlices } from './time-slices.js';

/** Slices of turns that end when they are told to. */
function newSlices(): { clock: ManualClock; slices: TimeSlices; endTurn: () => boolean } {
  const clock = new ManualClock();
  const pending: (() => void)[] = [];
  const slices = new TimeSlices(clock, new Turn((action) => pending.push(action)));
  const endTurn = (): boolean => {
    const action = pending.shift();
    action?.();
    return action !== undefined;
  };
  return { clock, slices, endTurn };
}

/** Takes steps that take so long until it is enough; answers how many there were. */
function stepsOf(slice: Slice, clock: ManualClock, milliseconds: number): number {
  slice.begin();
  for (let steps = 1; steps < 10_000; steps++) {
    clock.advance(milliseconds);
    if (slice.isOver()) return steps;
  }
  return Number.POSITIVE_INFINITY;
}

/** Somebody whose every step takes as long. */
class Slow implements Slicer {
  readonly turns: number[] = [];
  readonly #slices: TimeSlices;
  readonly #slice: Slice;
  readonly #clock: ManualClock;

  constructor(slices: TimeSlices, clock: ManualClock) {
    this.#slices = slices;
    this.#slice = new Slice(slices);
    this.#clock = clock;
  }

  goOn(): void {
    this.turns.push(this.#slices.turnNumber);
    stepsOf(this.#slice, this.#clock, 1);
    this.#slices.wait(this);
  }
}

test('who takes long has to stop, and may take as much in the next turn', () => {
  const { clock, slices, endTurn } = newSlices();
  const slice = new Slice(slices);
  const steps = stepsOf(slice, clock, 0.01);
  assert.ok(steps >= 300 && steps < 330, `${steps} steps`);
  assert.ok(stepsOf(slice, clock, 0.01) <= 16);
  endTurn();
  assert.ok(Math.abs(stepsOf(slice, clock, 0.01) - steps) <= 16);
});

test('a step that takes long is enough, and those behind it are looked at one by one', () => {
  const { clock, slices, endTurn } = newSlices();
  const slice = new Slice(slices);
  assert.equal(stepsOf(slice, clock, 20), 1);
  endTurn();
  assert.equal(stepsOf(slice, clock, 2), 2);
});

test('in a turn that is long already there is little left for each, but something', () => {
  const { clock, slices } = newSlices();
  for (let other = 0; other < 3; other++) stepsOf(new Slice(slices), clock, 0.01);
  const steps = stepsOf(new Slice(slices), clock, 0.01);
  assert.ok(steps >= 100 && steps < 130, `${steps} steps`);
});

test('what is done outside of steps counts', () => {
  const { clock, slices } = newSlices();
  const slice = new Slice(slices);
  slice.begin();
  clock.advance(3);
  slice.end();
  assert.ok(stepsOf(slice, clock, 0.01) <= 16);
});

test('those who wait take turns', () => {
  const { clock, slices, endTurn } = newSlices();
  const all = Array.from({ length: 5 }, () => new Slow(slices, clock));
  for (const each of all) slices.wait(each);
  while (all.some(({ turns }) => turns.length < 4)) assert.ok(endTurn());
  const times = all.map(({ turns }) => turns.length);
  assert.ok(Math.max(...times) - Math.min(...times) <= 1, `${times}`);
  for (const { turns } of all) {
    assert.deepEqual(
      turns,
      [...turns].sort((a, b) => a - b),
    );
    assert.equal(new Set(turns).size, turns.length);
  }
});

test('with nobody waiting a turn ends for good', () => {
  const { clock, slices, endTurn } = newSlices();
  stepsOf(new Slice(slices), clock, 1);
  assert.ok(endTurn());
  assert.ok(!endTurn());
});
