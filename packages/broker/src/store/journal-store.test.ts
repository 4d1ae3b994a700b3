import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Numbered, STORED_BYTES, StoreOnDisk } from './store-on-disk.test.support.js';

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly persistent: boolean }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  | { readonly kind: 'read'; readonly at: number }
  | { readonly kind: 'read several'; readonly at: number; readonly every: number }
  | { readonly kind: 'open again' };

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });
const count = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 400 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('append'), count, persistent: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove'), at: fraction, count }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read'), at: fraction }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('read several'), at: fraction, every: count }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('open again') }) },
);

test('a store on the disk behaves as a map by position does, opened again or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
      const disk = new StoreOnDisk(directory);
      await disk.open();
      try {
        const model = new Map<number, Numbered>();
        for (const each of steps) await run(each, disk, model);
        await run({ kind: 'open again' }, disk, model);
        await assertHolds(disk, model);
      } finally {
        await disk.close();
        await rm(directory, { recursive: true });
      }
    }),
    { numRuns: 40 },
  );
});

async function run(step: Step, disk: StoreOnDisk, model: Map<number, Numbered>): Promise<void> {
  const positions = [...model.keys()];
  switch (step.kind) {
    case 'append':
      for (let i = 0; i < step.count; i++) {
        const { next } = disk.store;
        const message: Numbered = new Numbered(next, step.persistent);
        assert.equal(disk.store.append(message), next);
        model.set(next, message);
      }
      return;
    case 'remove': {
      const from = Math.floor(step.at * positions.length);
      for (const position of positions.slice(from, from + step.count)) {
        disk.store.remove(position);
        model.delete(position);
      }
      return;
    }
    case 'read': {
      const position = positions[Math.floor(step.at * positions.length)];
      if (position !== undefined) assert.equal((await disk.read(position)).id, position);
      return;
    }
    case 'read several': {
      const from = Math.floor(step.at * positions.length);
      const some = positions.filter((_, i) => i >= from && (i - from) % step.every === 0).reverse();
      await new Promise<void>((resolve) => disk.store.loadAll(some, resolve));
      for (const position of some) {
        // One that has been written meanwhile may be on the disk alone.
        while (!disk.store.isInMemory(position)) {
          await new Promise<void>((resolve) => disk.store.loadAll([position], resolve));
        }
        assert.equal((disk.store.read(position) as Numbered).id, position);
      }
      return;
    }
    case 'open again': {
      const { next } = disk.store;
      await disk.close();
      await disk.open();
      const persistent = [...model].filter(([, message]) => message.persistent);
      const last = persistent.at(-1)?.[0] ?? -1;
      assert.ok(disk.store.next > last && disk.store.next >= disk.store.redeliveredBelow);
      assert.ok(disk.store.next <= Math.max(next, disk.store.redeliveredBelow));
      for (const [position, message] of model) if (!message.persistent) model.delete(position);
    }
  }
}

/** That the store has exactly what the model has, in order of position. */
async function assertHolds(disk: StoreOnDisk, model: ReadonlyMap<number, Numbered>): Promise<void> {
  const { store } = disk;
  assert.equal(store.size, model.size);
  let position = -1;
  for (const [expected, { id }] of model) {
    position = store.firstFrom(position + 1);
    assert.equal(position, expected);
    assert.equal(store.bodyBytes(position), id % STORED_BYTES);
    assert.equal((await disk.read(position)).id, id);
  }
  assert.equal(store.firstFrom(position + 1), store.next);
}
