import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turn } from '../base/turn.js';
import { FreeSlabs, SLAB_BYTES } from './free-slabs.js';
import { SlabAllocator } from './slab.js';

/** A turn that ends when it is told to. */
function handTurned(): { readonly turn: Turn; readonly end: () => void } {
  const due: (() => void)[] = [];
  const turn = new Turn((action) => due.push(action));
  return { turn, end: () => due.splice(0).forEach((action) => action()) };
}

test('a slab is used again once the turn in which it became free is over', () => {
  const { turn, end } = handTurned();
  const slabs = new FreeSlabs(turn);
  const one = slabs.take();
  slabs.giveBack(one);
  assert.notEqual(slabs.take(), one);
  end();
  assert.equal(slabs.take(), one);
  assert.notEqual(slabs.take(), one, 'it has been given once');
});

test('no more are kept than a burst needs', () => {
  const { turn, end } = handTurned();
  const slabs = new FreeSlabs(turn);
  const many = Array.from({ length: 1_000 }, () => slabs.take());
  for (const slab of many) slabs.giveBack(slab);
  end();
  const again = Array.from({ length: 1_000 }, () => slabs.take());
  const reused = again.filter((slab) => many.includes(slab));
  assert.ok(reused.length > 0 && reused.length * SLAB_BYTES <= 16 * 1024 * 1024);
  assert.equal(new Set(again).size, again.length, 'each is handed out once');
});

test('octets that were given back are as they were until the turn ends', () => {
  const { turn, end } = handTurned();
  const slabs = new SlabAllocator(turn);
  const first = slabs.allocate(8_000);
  first.buffer.fill(1, slabs.offset, slabs.offset + 8_000);
  slabs.release(first, 8_000);
  const write = (): void => {
    for (let i = 0; i < 100; i++) {
      const slab = slabs.allocate(8_000);
      slab.buffer.fill(2, slabs.offset, slabs.offset + 8_000);
      slabs.release(slab, 8_000);
    }
  };
  write();
  assert.equal(first.buffer[0], 1);
  end();
  write();
  end();
  write();
  assert.equal(first.buffer[0], 2, 'later they are used for something else');
});
