import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Slab } from './free-slabs.js';
import { SlabAllocator } from './slab.js';

/** What is held by one allocation: its range of the slab's buffer. */
interface Range {
  readonly slab: Slab;
  readonly start: number;
  readonly bytes: number;
}

function allocate(slabs: SlabAllocator, bytes: number): Range {
  const slab = slabs.allocate(bytes);
  return { slab, start: slabs.offset, bytes };
}

function release(slabs: SlabAllocator, { slab, bytes }: Range): void {
  slabs.release(slab, bytes);
}

/** Octets of the slabs that ranges lie in. */
function heldBytes(ranges: Iterable<Range>): number {
  const buffers = new Set([...ranges].map((range) => range.slab.buffer));
  return [...buffers].reduce((sum, buffer) => sum + buffer.length, 0);
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 9_000 }),
  fc.constantFrom(8_191, 8_192, 8_193, 65_535, 65_536, 65_537),
);

test('the accounts are right after every step, and ranges in use never overlap', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: size.map((bytes) => ({ bytes, at: 0 })) },
    { weight: 2, arbitrary: fc.nat().map((at) => ({ bytes: 0, at })) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const slabs = new SlabAllocator();
      const ranges: Range[] = [];
      for (const { bytes, at } of steps) {
        if (bytes > 0) {
          const range = allocate(slabs, bytes);
          assert.ok(range.start + bytes <= range.slab.buffer.length);
          ranges.push(range);
        } else if (ranges.length > 0) {
          release(slabs, ranges.splice(at % ranges.length, 1)[0]!);
        }
        assert.equal(
          slabs.liveBytes,
          ranges.reduce((sum, range) => sum + range.bytes, 0),
        );
        assert.equal(slabs.heldBytes, heldBytes(ranges));
      }
      assertApart(ranges);
      for (const range of ranges) release(slabs, range);
      assert.equal(slabs.liveBytes, 0);
      assert.equal(slabs.heldBytes, 0);
    }),
  );
});

test('a released range is not handed out again while its slab has others', () => {
  const slabs = new SlabAllocator();
  const ranges = Array.from({ length: 10 }, () => allocate(slabs, 100));
  for (const range of ranges.slice(0, 9)) release(slabs, range);
  const later = Array.from({ length: 10 }, () => allocate(slabs, 100));
  assertApart([...ranges, ...later]);
});

test('a slab of which little is alive is mostly dead, except the one being filled', () => {
  const slabs = new SlabAllocator();
  const first = allocate(slabs, 1_000);
  const rest: Range[] = [];
  do rest.push(allocate(slabs, 1_000));
  while (rest.at(-1)?.slab === first.slab);
  assert.equal(slabs.isMostlyDead(first.slab), false, 'all of it is alive');
  for (const range of rest) if (range.slab === first.slab) release(slabs, range);
  assert.equal(slabs.isMostlyDead(first.slab), true);
  const newest = rest.at(-1);
  assert.ok(newest !== undefined && newest.slab !== first.slab);
  assert.equal(slabs.isMostlyDead(newest.slab), false, 'it is still being filled');
});

test('what has memory of its own is never mostly dead', () => {
  const slabs = new SlabAllocator();
  const large = allocate(slabs, 100_000);
  assert.equal(large.start, 0);
  assert.equal(large.slab.buffer.length, 100_000);
  assert.equal(slabs.isMostlyDead(large.slab), false);
});

test('it is sparse only if much memory is held by little', () => {
  const slabs = new SlabAllocator();
  assert.equal(slabs.isSparse, false);
  const survivors: Range[] = [];
  for (let i = 0; i < 1_200; i++) {
    const ranges = Array.from({ length: 32 }, () => allocate(slabs, 2_000));
    survivors.push(ranges[0]!);
    if (i < 500) assert.equal(slabs.isSparse, false, 'little is held as yet');
    for (const range of ranges.slice(1)) release(slabs, range);
  }
  assert.ok(slabs.heldBytes > 64 * 1024 * 1024);
  assert.equal(slabs.isSparse, true);
  for (const range of survivors) release(slabs, range);
  assert.equal(slabs.isSparse, false);
});

function assertApart(ranges: readonly Range[]): void {
  const bySlab = new Map<Slab, Range[]>();
  for (const range of ranges) bySlab.set(range.slab, [...(bySlab.get(range.slab) ?? []), range]);
  for (const inSlab of bySlab.values()) {
    inSlab.sort((a, b) => a.start - b.start);
    for (const [i, range] of inSlab.slice(1).entries()) {
      const before = inSlab[i]!;
      assert.ok(before.start + before.bytes <= range.start, 'ranges overlap');
    }
  }
}
