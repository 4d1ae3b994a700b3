import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.js';

test('what is given back is lent again, and nothing is lent twice', () => {
  const pool = new BufferPool(100);
  const first = pool.take();
  const second = pool.take();
  assert.equal(first.length, 100);
  assert.notEqual(first, second);
  pool.giveBack(first);
  assert.equal(pool.take(), first);
  assert.notEqual(pool.take(), first);
});

test('a buffer of another size is not taken back', () => {
  const pool = new BufferPool(100);
  pool.giveBack(Buffer.alloc(99));
  pool.giveBack(Buffer.alloc(101));
  pool.giveBack(pool.take().subarray(1));
  assert.equal(pool.take().length, 100);
  assert.equal(pool.take().length, 100);
});

test('only so many are kept', () => {
  const pool = new BufferPool(10);
  const lent = new Set(Array.from({ length: 1_000 }, pool.take));
  assert.equal(lent.size, 1_000);
  for (const buffer of lent) pool.giveBack(buffer);
  const again = Array.from({ length: 1_000 }, pool.take).filter((buffer) => lent.has(buffer));
  assert.ok(again.length > 0 && again.length < 200, `${again.length} were kept`);
});

test('take may be handed on without its pool', () => {
  const { take } = new BufferPool(10);
  assert.equal(take().length, 10);
});
