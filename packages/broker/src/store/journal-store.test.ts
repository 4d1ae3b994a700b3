import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { type Clock, systemClock } from '../base/clock.js';
import { silentLogger } from '../base/logger.js';
import { ManualClock } from '../base/manual-clock.test.support.js';
import { systemRandom } from '../base/random.js';
import { Turn } from '../base/turn.js';
import { until } from '../base/until.test.support.js';
import type { Files } from './disk/files.js';
import { nodeFiles } from './disk/node-files.js';
import type { Storable } from './journal/chain.js';
import { Journal } from './journal/journal.js';
import { journalFileNumber } from './journal/journal-file.js';
import { recover } from './journal/recovery/recovery.js';
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
  holders = 0;

  constructor(id: number, persistent: boolean) {
    this.id = id;
    this.persistent = persistent;
  }

  /** Another one for each, for a start to find. */
  get bodyBytes(): number {
    return this.id % STORED_BYTES;
  }

  writeTo(buffer: Buffer, at: number): void {
    buffer.fill(0, at, at + STORED_BYTES);
    buffer.writeUInt32BE(this.id, at);
  }

  retain(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
    assert.ok(this.holders >= 0, 'released more often than retained');
  }
}

/** A store on the machine's disk that can be opened again. */
class StoreOnDisk {
  readonly #directory: string;
  readonly #files: Files;
  readonly #clock: Clock;
  #journal!: Journal;
  store!: JournalStore;

  constructor(directory: string, files: Files = nodeFiles, clock: Clock = systemClock) {
    this.#directory = directory;
    this.#files = files;
    this.#clock = clock;
  }

  /** `meanwhile` is done while the journal begins its file. */
  async open(meanwhile: (store: JournalStore) => void = () => {}): Promise<void> {
    const recovered = await recover(this.#files, this.#directory, () => false, silentLogger);
    const turn = new Turn();
    const ports = { files: this.#files, clock: this.#clock, random: systemRandom, turn };
    const decode = (_format: number, _priority: number, buffer: Buffer, start: number): Storable =>
      new Numbered(buffer.readUInt32BE(start), true);
    const options = { directory: this.#directory, fileBytes: FILE_BYTES, sync: 'never' } as const;
    const all = { ...ports, logger: silentLogger, decode, topology: () => [] };
    this.#journal = new Journal(all, options, recovered);
    const known = recovered.chains.get(CHAIN);
    const fresh = { locations: new LocationTable(0), reserved: 0, remembered: new Map() };
    const chain = { chain: CHAIN, durable: true, ...(known ?? fresh) };
    // Less than nothing: there is never room for more than the head of the queue.
    const budget = new MemoryBudget(new SlabAllocator(), -1);
    this.store = new JournalStore(chain, this.#journal, budget);
    this.#journal.adopt(this.store);
    const opening = this.#journal.open();
    meanwhile(this.store);
    await opening;
  }

  async close(): Promise<void> {
    await this.#journal.close();
  }

  /** Resolves when all that was asked for is on the disk. */
  async written(): Promise<void> {
    this.#journal.tellRemoved();
    await new Promise<void>((resolve) => this.#journal.onDurable(resolve));
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

test('a long queue that is deleted while it is being written lets go of each message once', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const disk = new StoreOnDisk(directory);
  await disk.open();
  const messages = Array.from({ length: 600 }, (_, id) => new Numbered(id, true));
  for (const message of messages) {
    // Another queue has it too.
    message.retain();
    disk.store.append(message);
  }
  disk.store.clear();
  disk.store.clear();
  await disk.close();
  assert.ok(messages.every(({ holders }) => holders === 1));
  await disk.open();
  await disk.close();
});

test('a message whose write has failed, and is not in memory, comes when it is written', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const broken = brokenDisk();
  const clock = new ManualClock();
  const disk = new StoreOnDisk(directory, broken.files, clock);
  await disk.open();
  broken.isBroken = true;
  for (let id = 0; id < 600; id++) disk.store.append(new Numbered(id, false));
  await until(() => disk.store.placeOf(500) !== 0, 'a place');
  disk.store.read(500);
  assert.ok(!disk.store.isInMemory(500));
  await until(() => broken.failures > 0, 'a failure');
  clock.advance(500);
  await until(
    () => broken.failures > 1 && disk.store.placeOf(500) === 0,
    'a failure in the next file',
  );
  const coming = disk.read(500);
  broken.isBroken = false;
  const ticking = setInterval(() => clock.advance(500), 10);
  t.after(() => clearInterval(ticking));
  assert.equal((await coming).id, 500);
  await disk.close();
});

test('a disk that says no while the journal is being closed does not keep it open', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const broken = brokenDisk();
  const clock = new ManualClock();
  const disk = new StoreOnDisk(directory, broken.files, clock);
  await disk.open();
  disk.store.append(new Numbered(0, true));
  const closing = disk.close();
  broken.isBroken = true;
  const ticking = setInterval(() => clock.advance(500), 10);
  t.after(() => clearInterval(ticking));
  await closing;
  assert.ok(broken.failures > 1, 'it was tried again');
});

test('a file goes only when the disk knows that nothing in it is alive', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const slow = new SlowDisk();
  const disk = new StoreOnDisk(directory, slow.files);
  await disk.open();
  // More than the first file holds: the journal goes on in the second.
  for (let id = 0; id < 30; id++) disk.store.append(new Numbered(id, true));
  slow.hold('journal-00000002');
  await until(() => slow.held > 0, 'a second file');
  // It begins with a state in which they are there.
  for (let id = 0; id < 30; id++) disk.store.remove(id);
  for (let writes = 0; writes < 3; writes++) await slow.letOneGo();
  await until(() => slow.held > 0, 'the removals');
  for (let look = 0; look < 100; look++) {
    // Each takes the disk a while, in which it might go.
    assert.ok((await readdir(directory)).includes('journal-00000001'));
  }
  slow.letAllGo();
  await disk.written();
  await disk.close();
});

/** The machine's disk, where writes to a file wait to be let go. */
class SlowDisk {
  #name = 'nothing is held';
  #waiting: (() => void)[] = [];

  readonly files: Files = {
    ...nodeFiles,
    open: async (path, options) => {
      const file = await nodeFiles.open(path, options);
      return {
        write: async (...args) => {
          if (path.endsWith(this.#name)) {
            await new Promise<void>((resolve) => this.#waiting.push(resolve));
          }
          await file.write(...args);
        },
        size: () => file.size(),
        read: (...args) => file.read(...args),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };

  /** How many writes are waiting. */
  get held(): number {
    return this.#waiting.length;
  }

  hold(name: string): void {
    this.#name = name;
  }

  async letOneGo(): Promise<void> {
    await until(() => this.held > 0, 'a write');
    this.#waiting.shift()?.();
  }

  letAllGo(): void {
    this.#name = 'nothing is held';
    for (const go of this.#waiting.splice(0)) go();
  }
}

test('a state that is larger than a file is not written again with each message', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
  t.after(() => rm(directory, { recursive: true }));
  const disk = new StoreOnDisk(directory);
  await disk.open();
  for (let id = 0; id < 1_000; id++) disk.store.append(new Numbered(id, true));
  // Each gap takes room in the snapshot.
  for (let id = 0; id < 1_000; id += 2) disk.store.remove(id);
  await disk.written();
  const before = await lastFile(directory);
  for (let round = 0; round < 10; round++) {
    disk.store.append(new Numbered(1_000 + round, true));
    await disk.written();
  }
  assert.ok((await lastFile(directory)) <= before + 1);
  await disk.close();
});

/** Number of the last journal file in a directory. */
async function lastFile(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).map((name) => journalFileNumber(name) ?? 0);
  return Math.max(...numbers);
}

/** The machine's disk, which may be told to take no writes. */
function brokenDisk(): { readonly files: Files; isBroken: boolean; failures: number } {
  const disk = { files: nodeFiles, isBroken: false, failures: 0 };
  const open: Files['open'] = async (path, options) => {
    const file = await nodeFiles.open(path, options);
    const write: typeof file.write = async (...args) => {
      await nextTurn();
      if (!disk.isBroken) return await file.write(...args);
      disk.failures++;
      throw new Error('EIO');
    };
    return {
      write,
      size: () => file.size(),
      read: (...args) => file.read(...args),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  };
  disk.files = { ...nodeFiles, open };
  return disk;
}

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
