import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeHeap } from './time-heap.js';

function drained(heap: TimeHeap): [number, number][] {
  const entries: [number, number][] = [];
  for (; heap.size > 0; heap.pop()) entries.push([heap.firstTime, heap.firstNumber]);
  return entries;
}

/** Entries in no order at all, the same ones every time. */
function scattered(count: number): [number, number][] {
  return Array.from({ length: count }, (_, i) => [(i * 7_919) % 101, (i * 104_729) % 9_973]);
}

const inOrder = (a: [number, number], b: [number, number]): number => a[0] - b[0] || a[1] - b[1];

test('the earliest comes out first, and of the same time the smallest number', () => {
  const heap = new TimeHeap();
  const entries = scattered(1_000);
  for (const [time, number] of entries) heap.push(time, number);
  assert.equal(heap.size, 1_000);
  assert.deepEqual(drained(heap), entries.sort(inOrder));
});

test('what is not to be kept is taken out, and the rest stays in order', () => {
  const heap = new TimeHeap();
  const entries = scattered(1_000);
  for (const [time, number] of entries) heap.push(time, number);
  heap.filter((number) => number % 10 === 0);
  const kept = entries.filter(([, number]) => number % 10 === 0);
  assert.equal(heap.size, kept.length);
  assert.deepEqual(drained(heap), kept.sort(inOrder));
});

test('the numbers up to a time are found without taking any out', () => {
  const heap = new TimeHeap();
  const entries = scattered(1_000);
  for (const [time, number] of entries) heap.push(time, number);
  const found: number[] = [];
  heap.forEachUpTo(40, (number) => found.push(number));
  const due = entries.filter(([time]) => time <= 40).map(([, number]) => number);
  const byValue = (a: number, b: number): number => a - b;
  assert.deepEqual(found.sort(byValue), due.sort(byValue));
  assert.equal(heap.size, 1_000);
});

test('it can be emptied and filled again', () => {
  const heap = new TimeHeap();
  for (const [time, number] of scattered(300)) heap.push(time, number);
  heap.clear();
  assert.equal(heap.size, 0);
  heap.push(2, 1);
  heap.push(1, 2);
  assert.deepEqual(drained(heap), [
    [1, 2],
    [2, 1],
  ]);
});
