import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  FreeChunks,
  LocationTable,
  MEMORY_ONLY,
  NOWHERE,
  PENDING,
  survives,
  transientAt,
  UNKNOWN,
} from './location-table.js';

const location = fc.constantFrom(1, 12_345, PENDING, MEMORY_ONLY, UNKNOWN, transientAt(99));

const step = fc.record({
  kind: fc.constantFrom(
    ...['push', 'push', 'skip', 'set', 'restore', 'delete', 'delete', 'expect', 'find', 'look'],
  ),
  at: fc.nat(),
  count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_500 })),
  location,
});

test('it behaves as a map by position does, in memory that others have used', () => {
  const free = new FreeChunks();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const table = new LocationTable(0, free);
      const model = new Map<number, Entry>();
      let next = 0;
      for (const { kind, at, count, location: place } of steps) {
        const position = at % (next + 1);
        const known = model.get(position);
        if (kind === 'push') {
          for (let i = 0; i < count; i++) {
            assert.equal(table.push(place, count), next);
            model.set(next++, { place, bodyBytes: count });
          }
        } else if (kind === 'skip') {
          next += count;
          table.skipTo(next);
        } else if (kind === 'set' && known !== undefined) {
          table.set(position, place);
          model.set(position, { ...known, place });
        } else if (kind === 'restore' && position < next) {
          table.restore(position, place, count);
          model.set(position, { place, bodyBytes: count });
        } else if (kind === 'delete') {
          for (let each = position; each < position + count; each++) {
            assert.equal(table.delete(each), model.get(each)?.place ?? NOWHERE);
            model.delete(each);
          }
        }
        if (kind === 'expect') {
          const end = Math.min(position + count, next);
          table.expect(position, end - position);
          for (let each = position; each < end; each++) {
            if (!model.has(each)) model.set(each, { place: UNKNOWN, bodyBytes: 0 });
          }
        } else if (kind === 'find') {
          assert.equal(table.find(position, place, count), known?.place === UNKNOWN);
          if (known?.place === UNKNOWN) model.set(position, { place, bodyBytes: count });
        } else if (kind === 'look') {
          // What it has found whole it need not look through again: so it must notice changes.
          table.forEachSurvivingRange(() => {});
        }
        assert.equal(table.count, model.size);
        assert.equal(table.get(position), model.get(position)?.place ?? NOWHERE);
        assert.equal(table.bodyBytes(position), model.get(position)?.bodyBytes ?? 0);
        const following = [...model.keys()].filter((each) => each >= position);
        const first = following.reduce((least, each) => Math.min(least, each), next);
        assert.equal(table.firstFrom(position), first);
      }
      checkAll(table, model);
    }),
    { numRuns: 60 },
  );
});

interface Entry {
  readonly place: number;
  readonly bodyBytes: number;
}

/** What is visited, and which ranges of it survive. */
function checkAll(table: LocationTable, model: ReadonlyMap<number, Entry>): void {
  const surviving = [...model].filter(([, { place }]) => survives(place));
  const covered: number[] = [];
  let before = -1;
  table.forEachSurvivingRange((from, count) => {
    assert.ok(from > before && count > 0, 'neighbours come together');
    for (let position = from; position < from + count; position++) covered.push(position);
    before = from + count;
  });
  assert.deepEqual(
    covered,
    surviving.map(([position]) => position).sort((a, b) => a - b),
  );
  const held: number[] = [];
  table.forEach((position, place) => {
    held.push(position);
    assert.equal(place, model.get(position)?.place);
  });
  assert.deepEqual(
    held,
    [...model.keys()].sort((a, b) => a - b),
  );
}
