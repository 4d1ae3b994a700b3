import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../base/clock.js';
import { silentLogger } from '../base/logger.js';
import { systemRandom } from '../base/random.js';
import { Turn } from '../base/turn.js';
import type { Files } from './disk/files.js';
import { nodeFiles } from './disk/node-files.js';
import type { Storable } from './journal/chain.js';
import { Journal } from './journal/journal.js';
import { recover } from './journal/recovery/recovery.js';
import { JournalStore } from './journal-store.js';
import { LocationTable } from './location-table.js';
import { MemoryBudget } from './memory-budget.js';
import { SlabAllocator } from './slab.js';

const CHAIN = 256;
/** Small, so that a few messages fill a file. */
const FILE_BYTES = 2_048;
export const STORED_BYTES = 100;

/** A message that is its number, and nothing else. */
export class Numbered implements Storable {
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
export class StoreOnDisk {
  readonly directory: string;
  readonly #files: Files;
  readonly #clock: Clock;
  #journal!: Journal;
  store!: JournalStore;

  constructor(directory: string, files: Files = nodeFiles, clock: Clock = systemClock) {
    this.directory = directory;
    this.#files = files;
    this.#clock = clock;
  }

  /** One in a directory of its own, which goes with the test; open. */
  static async temporary(t: TestContext, files?: Files, clock?: Clock): Promise<StoreOnDisk> {
    const directory = await mkdtemp(join(tmpdir(), 'leveret-store-'));
    t.after(() => rm(directory, { recursive: true }));
    const disk = new StoreOnDisk(directory, files, clock);
    await disk.open();
    return disk;
  }

  /** `meanwhile` is done while the journal begins its file. */
  async open(meanwhile: (store: JournalStore) => void = () => {}): Promise<void> {
    const recovered = await recover(this.#files, this.directory, () => undefined, silentLogger);
    const turn = new Turn();
    const ports = { files: this.#files, clock: this.#clock, random: systemRandom, turn };
    const decode = (_format: number, _priority: number, buffer: Buffer, start: number): Storable =>
      new Numbered(buffer.readUInt32BE(start), true);
    const options = { directory: this.directory, fileBytes: FILE_BYTES, sync: 'never' } as const;
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
