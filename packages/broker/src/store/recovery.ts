import type { Logger } from '../base/logger.js';
import { batchesOf } from './batch-reader.js';
import { readFileIndex } from './file-index.js';
import type { Files } from './files.js';
import {
  fileNumberOf,
  type JournalFile,
  journalFileName,
  journalFileNumber,
  locationOf,
  readRange,
} from './journal-file.js';
import {
  BATCH_HEADER_BYTES,
  decodeFileHeader,
  FILE_HEADER_BYTES,
  type FileHeader,
} from './journal-format.js';
import { LocationTable, MEMORY_ONLY, NOWHERE, UNKNOWN } from './location-table.js';
import { decodeOperations, type Operation, type PublishOperation } from './operations.js';

/** A chain as the journal has left it. */
export interface RecoveredChain {
  readonly locations: LocationTable;
  /** Positions below this may have been delivered. */
  reserved: number;
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

/** A file of a journal, read into memory. */
interface FileContent {
  readonly path: string;
  readonly header: FileHeader;
  readonly bytes: Buffer;
}

/** Whether a topology change is the end of a chain; the store does not know what changes mean. */
export type EndsChain = (change: unknown, chain: number) => boolean;

/**
 * Reads a data directory back. It begins with the last file that begins with a whole snapshot, and
 * reads the others only for where their messages are. A torn end is cut off, and said; damage in
 * the middle is said, the file is set aside (`.damaged`), and what can be read is kept.
 *
 * Throws NewerFormatError, or Node's error if the disk cannot be read.
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
  #topology: unknown[] = [];
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
    const numbers = await this.#fileNumbers();
    const base = await this.#findBase(numbers);
    // Usually the base is the last file; a later one has lost its snapshot, but goes on from here.
    for (const number of numbers) if (number >= base) await this.#replay(number);
    await this.#locate(numbers.filter((number) => number < base));
    this.#dropLost();
    // What may have been delivered and was not yet on the disk is gone; its position is not used again.
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

  async #fileNumbers(): Promise<number[]> {
    const numbers: number[] = [];
    for (const name of await this.#files.list(this.#directory)) {
      const number = journalFileNumber(name);
      if (number !== undefined) numbers.push(number);
    }
    return numbers.sort((a, b) => a - b);
  }

  /** Reads a file; undefined if it has never been begun, or is an earlier use's. */
  async #read(number: number): Promise<FileContent | undefined> {
    const path = this.#pathOf(number);
    const disk = await this.#files.open(path, { create: false, durableWrites: false });
    try {
      const bytes = await readRange(disk, 0, await disk.size());
      const header = decodeFileHeader(bytes);
      return header?.number === number ? { path, header, bytes } : undefined;
    } finally {
      await disk.close();
    }
  }

  /** The last file that begins with a whole snapshot; the first there is if none does. */
  async #findBase(numbers: readonly number[]): Promise<number> {
    for (const number of [...numbers].reverse()) {
      const content = await this.#read(number);
      if (content === undefined) continue;
      this.#epoch = Math.max(this.#epoch, content.header.epoch);
      if (beginsWithSnapshot(content)) return number;
      this.#logger.error(`${content.path}: it does not begin as it should`);
    }
    return numbers[0] ?? 0;
  }

  /** Goes by everything a file says. */
  async #replay(number: number): Promise<void> {
    const content = await this.#read(number);
    if (content === undefined) return;
    this.#addFile(content);
    for (const batch of batchesOf(content.bytes, content.header, this.#report(content.path))) {
      this.#operations = batch.header.firstOperation + batch.header.count;
      for (const [operation, at] of decodeOperations(content.bytes, batch.start, batch.end)) {
        this.#apply(operation, locationOf(number, at));
      }
    }
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
        break;
      }
      case 'snapshot':
        break;
    }
  }

  #publish(operation: PublishOperation, location: number): void {
    for (const { chain, position } of operation.placements) {
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
    }
  }

  #remove(chainNumber: number, from: number, count: number): void {
    const chain = this.#chains.get(chainNumber);
    if (chain === undefined) return;
    for (let position = from; position < from + count; position++) {
      this.#countOut(chain.locations.delete(position));
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
      const file = await this.#readHeader(number);
      if (file === undefined) continue;
      this.#journalFiles.set(number, file);
      const index = await readFileIndex(this.#files, file.path, file.seed);
      if (index === undefined) await this.#scan(number);
      else index.forEach((chain, position, at) => this.#found(chain, position, number, at));
    }
  }

  /** Reads a whole file for where its messages are: it has no index. */
  async #scan(number: number): Promise<void> {
    const content = await this.#read(number);
    if (content === undefined) return;
    for (const batch of batchesOf(content.bytes, content.header, this.#report(content.path))) {
      for (const [operation, at] of decodeOperations(content.bytes, batch.start, batch.end)) {
        if (operation.kind !== 'publish') continue;
        for (const { chain, position } of operation.placements) {
          this.#found(chain, position, number, at);
        }
      }
    }
  }

  #found(chain: number, position: number, number: number, offset: number): void {
    const file = this.#journalFiles.get(number)!;
    file.placed++;
    const locations = this.#chains.get(chain)?.locations;
    if (locations?.get(position) !== UNKNOWN) return;
    locations.set(position, locationOf(number, offset));
    file.live++;
  }

  async #readHeader(number: number): Promise<JournalFile | undefined> {
    const path = this.#pathOf(number);
    const disk = await this.#files.open(path, { create: false, durableWrites: false });
    try {
      const header = decodeFileHeader(await readRange(disk, 0, FILE_HEADER_BYTES));
      if (header?.number !== number) return undefined;
      return { number, path, seed: header.seed, bytes: await disk.size(), placed: 0, live: 0 };
    } finally {
      await disk.close();
    }
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

  #addFile({ path, header, bytes }: FileContent): void {
    const { number, seed } = header;
    this.#journalFiles.set(number, { number, path, seed, bytes: bytes.length, placed: 0, live: 0 });
  }

  #countIn(location: number): void {
    const file = this.#journalFiles.get(fileNumberOf(location));
    if (file === undefined) return;
    file.placed++;
    file.live++;
  }

  #countOut(location: number): void {
    if (location <= 0) return;
    const file = this.#journalFiles.get(fileNumberOf(location));
    if (file !== undefined) file.live--;
  }

  /** The state of a chain, which comes into being with its first message. */
  #chain(number: number): RecoveredChain {
    let chain = this.#chains.get(number);
    if (chain === undefined) {
      chain = { locations: new LocationTable(0), reserved: 0 };
      this.#chains.set(number, chain);
    }
    return chain;
  }

  #report(path: string): (problem: string, at: number) => void {
    return (problem, at) => this.#logger.error(`${path}: ${problem} at ${at}`);
  }

  #pathOf(number: number): string {
    return `${this.#directory}/${journalFileName(number)}`;
  }
}

/** Whether a file's first batch, the snapshot, is whole: it counts no operations. */
function beginsWithSnapshot({ bytes, header }: FileContent): boolean {
  const [first] = batchesOf(bytes, header, () => {});
  return first?.header.count === 0 && first.start === FILE_HEADER_BYTES + BATCH_HEADER_BYTES;
}
