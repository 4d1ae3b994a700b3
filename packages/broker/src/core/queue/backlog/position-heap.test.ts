import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PositionHeap } from './position-heap.js';

test('the smallest comes out first, whatever the order they go in and out', () => {
  const step = fc.option(fc.integer({ min: 0, max: 2 ** 40 }), { nil: undefined, freq: 3 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const heap = new PositionHeap();
      let model: number[] = [];
      for (const position of steps) {
        if (position !== undefined) {
          heap.push(position);
          model.push(position);
        } else if (model.length > 0) {
          const smallest = Math.min(...model);
          assert.equal(heap.pop(), smallest);
          model = model.toSpliced(model.indexOf(smallest), 1);
        }
        assert.equal(heap.size, model.length);
      }
      const rest = model.map(() => heap.pop());
      assert.deepEqual(
        rest,
        model.toSorted((a, b) => a - b),
      );
    }),
  );
});

test('after clear() it is empty, and of use', () => {
  const heap = new PositionHeap();
  heap.push(2);
  heap.push(1);
  heap.clear();
  assert.equal(heap.size, 0);
  heap.push(5);
  assert.equal(heap.pop(), 5);
});

test('what is deleted behind a number that stays is not kept for ever', () => {
  const heap = new PositionHeap();
  heap.push(0);
  for (let i = 1; i <= 5_000; i++) heap.push(i);
  for (let i = 5_000; i > 1; i -= 2) heap.delete(i);
  for (let i = 3; i < 5_000; i += 2) heap.delete(i);
  assert.equal(heap.size, 2);
  const seen: number[] = [];
  heap.forEach((position) => seen.push(position));
  assert.deepEqual(seen, [0, 1]);
  assert.deepEqual([heap.pop(), heap.pop(), heap.size], [0, 1, 0]);
});

test('a number that was deleted can come back', () => {
  const heap = new PositionHeap();
  for (const position of [3, 1, 2]) heap.push(position);
  heap.delete(3);
  heap.push(3);
  heap.delete(2);
  assert.equal(heap.size, 2);
  const seen: number[] = [];
  heap.forEach((position) => seen.push(position));
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    [1, 3],
  );
  assert.deepEqual([heap.pop(), heap.pop()], [1, 3]);
});
