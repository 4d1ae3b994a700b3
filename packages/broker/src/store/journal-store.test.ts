import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../base/clock.js';
import { silentLogger } from '../base/logger.js';
import { systemRandom } from '../base/random.js';
import { Turn } from '../base/turn.js';
import { nodeFiles } from './disk/node-files.js';
import type { Storable } from './journal/chain.js';
import { Journal } from './journal/journal.js';
import { recover } from './journal/recovery.js';
import { JournalStore } from './journal-store.js';
import { LocationTable } from './location-table.js';
import { MemoryBudget } from './memory-budget.js';
import { SlabAllocator } from './slab.js';

const CHAIN = 256;
/** Small, so that a few messages fill a file. */
const FILE_BYTES = 2_048;
const STORED_BYTES = 100;

/** A message that is its number, and nothing else. */
class Numbered implements Storable {
  readonly format = 1;
  readonly priority = 0;
  readonly storedBytes: number = STORED_BYTES;
  readonly id: number;
  readonly persistent: boolean;

  constructor(id: number, persistent: boolean) {
    this.id = id;
    this.persistent = persistent;
  }

  writeTo(buffer: Buffer, at: number): void {
    buffer.fill(0, at, at + STORED_BYTES);
    buffer.writeUInt32BE(this.id, at);
  }

  retain(): void {}
  release(): void {}
}

/** A store on the machine's disk that can be opened again. */
class StoreOnDisk {
  readonly #directory: string;
  #journal!: Journal;
  store!: JournalStore;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** `meanwhile` is done while the journal begins its file. */
  async open(meanwhile: (store: JournalStore) => void = () => {}): Promise<void> {
    const recovered = await recover(nodeFiles, this.#directory, () => false, silentLogger);
    const turn = new Turn();
    const ports = { files: nodeFiles, clock: systemClock, random: systemRandom, turn };
    const decode = (_format: number, _priority: number, buffer: Buffer, start: number): Storable =>
      new Numbered(buffer.readUInt32BE(start), true);
    const options = { directory: this.#directory, fileBytes: FILE_BYTES, sync: 'never' } as const;
    const all = { ...ports, logger: silentLogger, decode, topology: () => [] };
    this.#journal = new Journal(all, options, recovered);
    const known = recovered.chains.get(CHAIN);
    const fresh = { locations: new LocationTable(0), reserved: 0, remembered: new Map() };
    const chain = { chain: CHAIN, durable: true, ...(known ?? fresh) };
    const budget = new MemoryBudget(new SlabAllocator(), 0);
    this.store = new JournalStore(chain, this.#journal, budget);
    this.#journal.adopt(this.store);
    const opening = this.#journal.open();
    meanwhile(this.store);
    await opening;
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }

  /** What a queue does to have a message at hand. */
  async read(position: number): Promise<Numbered> {
    while (!this.store.isAtHand(position)) {
      await new Promise<void>((resolve) => this.store.fetch(position, resolve));
    }
    return this.store.read(position) as Numbered;
  }
}

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly persistent: boolean }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  | { readonly kind: 'read'; readonly at: number }
  | { readonly kind: 'read several'; readonly at: number; readonly every: number }
  | { readonly kind: 'open again' };

const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });
const count = fc.integer({ min: 1, max: 30 });
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

test('what is asked for while the journal is being opened is written when it is', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const disk = new StoreOnDisk(directory);
  await disk.open();
  for (let id = 0; id < 3; id++) disk.store.append(new Numbered(id, true));
  await disk.close();
  await disk.open((store) => {
    store.remove(1);
    store.append(new Numbered(3, true));
  });
  await disk.close();
  await disk.open();
  assert.deepEqual(
    [0, 1, 2, 3].map((each) => disk.store.firstFrom(each)),
    [0, 2, 2, 3],
  );
  assert.equal((await disk.read(3)).id, 3);
  await disk.close();
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
        assert.ok(disk.store.isInMemory(position), `position ${position}`);
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
    assert.equal((await disk.read(position)).id, id);
  }
  assert.equal(store.firstFrom(position + 1), store.next);
}
