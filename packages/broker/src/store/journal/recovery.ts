import type { Logger } from '../../base/logger.js';
import type { Files } from '../disk/files.js';
import { LocationTable, MEMORY_ONLY, NOWHERE, UNKNOWN } from '../location-table.js';
import type { Remembered } from '../message-store.js';
import { batchesOf, type ReportProblem } from './batch-reader.js';
import { beginsWithSnapshot, type FileContent, type FileHead, readHead } from './file-head.js';
import { readFileIndex } from './file-index.js';
import {
  BEGUN_NAME,
  type JournalFile,
  journalFileName,
  journalFileNumber,
  locationOf,
  readRange,
  slotOf,
} from './journal-file.js';
import { BATCHES_OFFSET, DamagedJournalError } from './journal-format.js';
import { decodeOperations, type Operation, type PublishOperation } from './operations.js';

/** A chain as the journal has left it. */
export interface RecoveredChain {
  readonly locations: LocationTable;
  /** Positions below this may have been delivered. */
  reserved: number;
  /** What there is to remember of messages besides themselves; of most there is nothing. */
  readonly remembered: Map<number, Remembered>;
}

/** What a data directory holds. */
export interface Recovered {
  /** Changes that make the topology what it was, from nothing, in order. */
  readonly topology: readonly unknown[];
  readonly chains: ReadonlyMap<number, RecoveredChain>;
  readonly files: readonly JournalFile[];
  readonly nextFileNumber: number;
  readonly epoch: number;
  readonly operations: number;
}

const NOTHING_REMEMBERED: Remembered = { expiresAt: 0, returns: 0, retryAt: 0 };

/** Whether a topology change is the end of a chain; the store does not know what changes mean. */
export type EndsChain = (change: unknown, chain: number) => boolean;

/**
 * Reads a data directory back. It begins with the last file that begins with a whole snapshot, and
 * reads the others only for where their messages are. A torn end is cut off, and said; damage in
 * the middle is said, the file is set aside (`.damaged`), and what can be read is kept.
 *
 * Throws DamagedJournalError if there is no beginning to go on from, NewerFormatError, or Node's
 * error if the disk cannot be read.
 */
export async function recover(
  files: Files,
  directory: string,
  endsChain: EndsChain,
  logger: Logger,
): Promise<Recovered> {
  return await new Recovery(files, directory, endsChain, logger).run();
}

class Recovery {
  readonly #files: Files;
  readonly #directory: string;
  readonly #endsChain: EndsChain;
  readonly #logger: Logger;
  readonly #chains = new Map<number, RecoveredChain>();
  readonly #topology: unknown[] = [];
  /** By slot. */
  readonly #journalFiles = new Map<number, JournalFile>();
  #operations = 0;
  #epoch = 0;

  constructor(files: Files, directory: string, endsChain: EndsChain, logger: Logger) {
    this.#files = files;
    this.#directory = directory;
    this.#endsChain = endsChain;
    this.#logger = logger;
  }

  async run(): Promise<Recovered> {
    const names = await this.#files.list(this.#directory);
    const numbers = names.map(journalFileNumber).filter((number) => number !== undefined);
    numbers.sort((a, b) => a - b);
    const base = await this.#findBase(numbers, names.includes(BEGUN_NAME));
    // Usually the base is the last file; one behind it has lost its beginning, and goes on from it.
    for (const number of numbers) if (number >= base) await this.#replay(number);
    await this.#locate(numbers.filter((number) => number < base));
    this.#dropLost();
    // A position below a reservation counts as delivered: none is given to another message.
    for (const { locations, reserved } of this.#chains.values()) locations.skipTo(reserved);
    return {
      topology: this.#topology,
      chains: this.#chains,
      files: [...this.#journalFiles.values()],
      nextFileNumber: (numbers.at(-1) ?? 0) + 1,
      epoch: this.#epoch + 1,
      operations: this.#operations,
    };
  }

  /**
   * The last file that begins with a whole snapshot; every file behind it can be gone on with.
   * 0 if nothing was ever kept here. Throws DamagedJournalError if something was, and is not to
   * be had.
   */
  async #findBase(numbers: readonly number[], wasBegun: boolean): Promise<number> {
    let damaged: { readonly number: number; readonly place: string } | undefined;
    for (const number of [...numbers].reverse()) {
      const content = await this.#read(number);
      if (content === 'never begun') continue;
      const path = this.#pathOf(number);
      if (content !== 'damaged') {
        this.#epoch = Math.max(this.#epoch, content.header.epoch);
        if (beginsWithSnapshot(content)) {
          if (damaged !== undefined && !isRow(numbers, number)) break;
          if (damaged === undefined && (await this.#isFull(content))) {
            const text = 'missing, or not as it was written; what it held is lost';
            this.#logger.error(`${this.#pathOf(number + 1)} at 0: ${text}`);
          }
          return number;
        }
        if (!content.isBegun) continue;
      }
      const place = `${path} at ${content === 'damaged' ? 0 : BATCHES_OFFSET}`;
      this.#logger.error(`${place}: the beginning of the file is damaged`);
      await this.#setAside(path);
      damaged ??= { number, place };
      if (content === 'damaged') break;
    }
    if (damaged === undefined && !wasBegun) return 0;
    const place = damaged?.place ?? this.#directory;
    throw new DamagedJournalError(
      `${place}: what was kept cannot be read, and nothing has been changed; ` +
        'restore the directory from a copy, or move it away to begin with nothing',
    );
  }

  /** Whether the journal went on in another file: one that is full or has failed has an index. */
  async #isFull({ path, header }: FileContent): Promise<boolean> {
    return (await readFileIndex(this.#files, path, header.seed)) !== undefined;
  }

  /** Reads a file whole. */
  async #read(number: number): Promise<FileContent | 'never begun' | 'damaged'> {
    const path = this.#pathOf(number);
    const disk = await this.#files.open(path, { create: false, durableWrites: false });
    try {
      const bytes = await readRange(disk, 0, await disk.size());
      const head = readHead(bytes, number);
      return typeof head === 'string' ? head : { path, ...head, bytes };
    } finally {
      await disk.close();
    }
  }

  /** Goes by everything a file says. */
  async #replay(number: number): Promise<void> {
    const content = await this.#read(number);
    if (typeof content === 'string') return;
    const { path, header, bytes } = content;
    const file = this.#addFile({ number, path, seed: header.seed, bytes: bytes.length });
    let isDamaged = false;
    for (const batch of batchesOf(
      bytes,
      header,
      this.#report(path, () => (isDamaged = true)),
    )) {
      this.#operations = batch.header.firstOperation + batch.header.count;
      let isCountedIn = false;
      for (const [operation, at] of decodeOperations(bytes, batch.start, batch.end)) {
        // What follows a snapshot in its batch is counted in already; only the messages are news.
        if (isCountedIn && operation.kind !== 'publish') continue;
        if (operation.kind === 'snapshot' && operation.ends) isCountedIn = true;
        this.#apply(operation, locationOf(file.slot, at));
      }
    }
    if (isDamaged) await this.#setAside(path);
  }

  #apply(operation: Operation, location: number): void {
    switch (operation.kind) {
      case 'publish':
        this.#publish(operation, location);
        break;
      case 'remove':
        this.#remove(operation.chain, operation.from, operation.count);
        break;
      case 'reserve': {
        const chain = this.#chain(operation.chain);
        chain.reserved = operation.below;
        break;
      }
      case 'returns': {
        const { returns, retryAt } = operation;
        this.#remember(operation.chain, operation.position, { returns, retryAt });
        break;
      }
      case 'topology':
        this.#change(operation.change);
        break;
      case 'chain': {
        const chain = this.#chain(operation.chain);
        chain.reserved = operation.reserved;
        chain.locations.skipTo(operation.next);
        for (const { from, count } of operation.live) {
          for (let i = 0; i < count; i++) chain.locations.set(from + i, UNKNOWN);
        }
        for (const { from, count } of operation.returned) {
          this.#remember(operation.chain, from, { returns: count });
        }
        break;
      }
      case 'snapshot':
        break;
    }
  }

  #publish(operation: PublishOperation, location: number): void {
    if (operation.transient) return;
    for (const { chain, position, expiresAt } of operation.placements) {
      const { locations } = this.#chain(chain);
      if (position >= locations.next) {
        locations.skipTo(position);
        locations.push(location);
      } else if (locations.get(position) !== NOWHERE) {
        this.#countOut(locations.get(position));
        locations.set(position, location);
      } else {
        // Told again after a failed write, and gone in the meantime.
        continue;
      }
      this.#countIn(location);
      if (expiresAt > 0) this.#remember(chain, position, { expiresAt });
    }
  }

  #remember(chain: number, position: number, fact: Partial<Remembered>): void {
    const { remembered } = this.#chain(chain);
    remembered.set(position, { ...NOTHING_REMEMBERED, ...remembered.get(position), ...fact });
  }

  #remove(chainNumber: number, from: number, count: number): void {
    const chain = this.#chains.get(chainNumber);
    if (chain === undefined) return;
    for (let position = from; position < from + count; position++) {
      this.#countOut(chain.locations.delete(position));
      if (chain.remembered.size > 0) chain.remembered.delete(position);
    }
  }

  #change(change: unknown): void {
    this.#topology.push(change);
    for (const [number, chain] of this.#chains) {
      if (!this.#endsChain(change, number)) continue;
      chain.locations.forEach((_position, location) => this.#countOut(location));
      this.#chains.delete(number);
    }
  }

  /** Finds the messages that are in earlier files, latest first: some may have been copied on. */
  async #locate(numbers: readonly number[]): Promise<void> {
    for (const number of [...numbers].reverse()) {
      const head = await this.#readHead(number);
      if (head === 'never begun') continue;
      const path = this.#pathOf(number);
      if (head === 'damaged') {
        this.#logger.error(`${path} at 0: the beginning of the file is damaged`);
        await this.#setAside(path);
        continue;
      }
      const file = this.#addFile({ number, path, seed: head.header.seed, bytes: head.bytes });
      const index = await readFileIndex(this.#files, path, file.seed);
      if (index === undefined) await this.#scan(file);
      else index.forEach((...entry) => this.#found(file, ...entry));
    }
  }

  /** Reads a whole file for where its messages are: it has no index. */
  async #scan(file: JournalFile): Promise<void> {
    const content = await this.#read(file.number);
    if (typeof content === 'string') return;
    const { path, header, bytes } = content;
    let isDamaged = false;
    for (const batch of batchesOf(
      bytes,
      header,
      this.#report(path, () => (isDamaged = true)),
    )) {
      for (const [operation, at] of decodeOperations(bytes, batch.start, batch.end)) {
        if (operation.kind !== 'publish') continue;
        for (const { chain, position, expiresAt } of operation.placements) {
          this.#found(file, chain, position, at, expiresAt);
        }
      }
    }
    if (isDamaged) await this.#setAside(path);
  }

  #found(
    file: JournalFile,
    chain: number,
    position: number,
    offset: number,
    expiresAt: number,
  ): void {
    file.placed++;
    const locations = this.#chains.get(chain)?.locations;
    if (locations?.get(position) !== UNKNOWN || offset >= file.bytes) return;
    locations.set(position, locationOf(file.slot, offset));
    file.live++;
    if (expiresAt > 0) this.#remember(chain, position, { expiresAt });
  }

  async #readHead(
    number: number,
  ): Promise<(FileHead & { bytes: number }) | 'never begun' | 'damaged'> {
    const disk = await this.#files.open(this.#pathOf(number), {
      create: false,
      durableWrites: false,
    });
    try {
      const head = readHead(await readRange(disk, 0, BATCHES_OFFSET), number);
      return typeof head === 'string' ? head : { ...head, bytes: await disk.size() };
    } finally {
      await disk.close();
    }
  }

  /** Gives a damaged file a second name, so that it stays for people to look at. */
  async #setAside(path: string): Promise<void> {
    await this.#files.link(path, `${path}.damaged`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      this.#logger.warn(`cannot set ${path} aside`, { error });
    });
  }

  #dropLost(): void {
    let lost = 0;
    for (const { locations } of this.#chains.values()) {
      locations.forEach((position, location) => {
        if (location !== UNKNOWN && location !== MEMORY_ONLY) return;
        locations.delete(position);
        lost++;
      });
    }
    if (lost > 0) this.#logger.error(`${lost} messages are missing from the journal, and lost`);
  }

  #addFile(file: Pick<JournalFile, 'number' | 'path' | 'seed' | 'bytes'>): JournalFile {
    const added = {
      ...file,
      written: file.bytes,
      slot: this.#journalFiles.size + 1,
      placed: 0,
      live: 0,
    };
    this.#journalFiles.set(added.slot, added);
    return added;
  }

  #countIn(location: number): void {
    const file = this.#journalFiles.get(slotOf(location));
    if (file === undefined) return;
    file.placed++;
    file.live++;
  }

  #countOut(location: number): void {
    if (location <= 0) return;
    const file = this.#journalFiles.get(slotOf(location));
    if (file !== undefined) file.live--;
  }

  /** The state of a chain, which comes into being with its first message. */
  #chain(number: number): RecoveredChain {
    let chain = this.#chains.get(number);
    if (chain === undefined) {
      chain = { locations: new LocationTable(0), reserved: 0, remembered: new Map() };
      this.#chains.set(number, chain);
    }
    return chain;
  }

  #report(path: string, damaged: () => void): ReportProblem {
    return (problem, at) => {
      if (problem === 'cut-off') {
        this.#logger.warn(`${path} at ${at}: a batch was not written to its end, and is cut off`);
        return;
      }
      this.#logger.error(`${path} at ${at}: the journal is damaged; what was here is lost`);
      damaged();
    };
  }

  #pathOf(number: number): string {
    return `${this.#directory}/${journalFileName(number)}`;
  }
}

/** Whether numbers go up by one from `from` on: no file is missing. */
function isRow(numbers: readonly number[], from: number): boolean {
  const row = numbers.filter((number) => number >= from);
  return row.every((number, i) => number === from + i);
}
