import type { Logger } from '../../../base/logger.js';
import type { Files } from '../../disk/files.js';
import { FileIndexBuilder, indexPath, isIndexName, readFileIndex } from '../file-index.js';
import {
  BEGUN_NAME,
  type JournalFile,
  journalFileName,
  journalFileNumber,
  locationOf,
  readRange,
} from '../journal-file.js';
import { BATCHES_OFFSET, DamagedJournalError, NewerFormatError } from '../journal-format.js';
import { decodeOperations, type Operation } from '../operations.js';
import { batchesOf, type ReportProblem } from './batch-reader.js';
import { beginsWithSnapshot, type FileContent, type FileHead, readHead } from './file-head.js';
import { type ChainsEndedBy, type RecoveredChain, RecoveredState } from './recovered-state.js';

/** What a data directory holds. */
export interface Recovered {
  /** Changes that make the topology what it was, from nothing, in order. */
  readonly topology: readonly unknown[];
  readonly chains: ReadonlyMap<number, RecoveredChain>;
  readonly files: readonly JournalFile[];
  readonly nextFileNumber: number;
  readonly epoch: number;
  readonly operations: number;
  /** Where the messages are of files that had no index: written when the next file is begun. */
  readonly indexes: ReadonlyMap<JournalFile, FileIndexBuilder>;
  /** Paths of what nobody needs: files that were never begun, indexes without a file. */
  readonly leftovers: readonly string[];
}

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
  chainsEndedBy: ChainsEndedBy,
  logger: Logger,
): Promise<Recovered> {
  return await new Recovery(files, directory, chainsEndedBy, logger).run();
}

class Recovery {
  readonly #files: Files;
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #state: RecoveredState;
  readonly #indexes = new Map<JournalFile, FileIndexBuilder>();
  readonly #leftovers: string[] = [];
  #operations = 0;
  #epoch = 0;
  /** The base, as it was read when it was looked for. */
  #base: FileContent | undefined;

  constructor(files: Files, directory: string, chainsEndedBy: ChainsEndedBy, logger: Logger) {
    this.#files = files;
    this.#directory = directory;
    this.#logger = logger;
    this.#state = new RecoveredState(chainsEndedBy);
  }

  async run(): Promise<Recovered> {
    const names = await this.#files.list(this.#directory);
    const numbers = names.map(journalFileNumber).filter((number) => number !== undefined);
    numbers.sort((a, b) => a - b);
    const base = await this.#findBase(numbers, names.includes(BEGUN_NAME));
    // Usually the base is the last file; one behind it has lost its beginning, and goes on from it.
    for (const number of numbers) if (number >= base) await this.#replay(number);
    await this.#locate(numbers.filter((number) => number < base));
    const journals = new Set(numbers.map((number) => indexPath(journalFileName(number))));
    const orphans = names.filter((name) => isIndexName(name) && !journals.has(name));
    this.#leftovers.push(...orphans.map((name) => `${this.#directory}/${name}`));
    const lost = this.#state.dropLost();
    if (lost > 0) this.#logger.error(`${lost} messages are missing from the journal, and lost`);
    this.#state.passReservations();
    const { topology, chains, files } = this.#state;
    return {
      topology,
      chains,
      files,
      nextFileNumber: (numbers.at(-1) ?? 0) + 1,
      epoch: this.#epoch + 1,
      operations: this.#operations,
      indexes: this.#indexes,
      leftovers: this.#leftovers,
    };
  }

  /**
   * The last file that begins with a whole snapshot; every file behind it can be gone on with.
   * 0 if nothing was ever kept here. Throws DamagedJournalError if something was, and is not to
   * be had.
   */
  async #findBase(numbers: readonly number[], wasBegun: boolean): Promise<number> {
    let damaged: { readonly number: number; readonly place: string } | undefined;
    const neverBegun: string[] = [];
    for (const number of [...numbers].reverse()) {
      const content = await this.#read(number);
      const path = this.#pathOf(number);
      if (content === 'never begun') {
        neverBegun.push(path);
        continue;
      }
      if (content !== 'damaged') {
        this.#epoch = Math.max(this.#epoch, content.header.epoch);
        if (beginsWithSnapshot(content)) {
          if (damaged !== undefined && !isRow(numbers, number)) break;
          if (damaged === undefined && (await this.#isFull(content))) {
            const text = 'missing, or not as it was written; what it held is lost';
            this.#logger.error(`${this.#pathOf(number + 1)} at 0: ${text}`);
            for (const each of neverBegun) await this.#setAside(each);
          }
          this.#leftovers.push(...neverBegun);
          this.#base = content;
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
    if (damaged === undefined && !wasBegun) {
      this.#leftovers.push(...neverBegun);
      return 0;
    }
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
      const head = this.#headOf(bytes, number);
      return typeof head === 'string' ? head : { path, ...head, bytes };
    } finally {
      await disk.close();
    }
  }

  #headOf(bytes: Buffer, number: number): ReturnType<typeof readHead> {
    try {
      return readHead(bytes, number);
    } catch (error) {
      if (!(error instanceof NewerFormatError)) throw error;
      throw new NewerFormatError(`${this.#pathOf(number)} at 0: ${error.message}`);
    }
  }

  /** Goes by everything a file says. */
  async #replay(number: number): Promise<void> {
    const content = this.#base ?? (await this.#read(number));
    this.#base = undefined;
    if (typeof content === 'string') return;
    const { path, header, bytes } = content;
    const file = this.#state.addFile({ number, path, seed: header.seed, bytes: bytes.length });
    const index = this.#beginIndex(file);
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
        addToIndex(index, operation, at);
        this.#state.apply(operation, locationOf(file.slot, at));
      }
    }
    if (!isDamaged) return;
    await this.#setAside(path);
    file.isSetAside = true;
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
      const file = this.#state.addFile({ number, path, seed: head.header.seed, bytes: head.bytes });
      const index = await readFileIndex(this.#files, path, file.seed);
      if (index === undefined) await this.#scan(file);
      else this.#state.locate(file, index.forEach);
    }
  }

  /** Reads a whole file for where its messages are: it has no index. */
  async #scan(file: JournalFile): Promise<void> {
    const content = await this.#read(file.number);
    if (typeof content === 'string') return;
    const { path, header, bytes } = content;
    const index = this.#beginIndex(file);
    let isDamaged = false;
    const report = this.#report(path, () => (isDamaged = true));
    this.#state.locate(file, (visit) => {
      for (const batch of batchesOf(bytes, header, report)) {
        for (const [operation, at] of decodeOperations(bytes, batch.start, batch.end)) {
          if (operation.kind !== 'publish' || operation.transient) continue;
          addToIndex(index, operation, at);
          const { bodyBytes, placements } = operation;
          for (const { chain, position, expiresAt } of placements) {
            visit(chain, position, at, bodyBytes, expiresAt);
          }
        }
      }
    });
    if (!isDamaged) return;
    await this.#setAside(path);
    file.isSetAside = true;
  }

  async #readHead(
    number: number,
  ): Promise<(FileHead & { bytes: number }) | 'never begun' | 'damaged'> {
    const disk = await this.#files.open(this.#pathOf(number), {
      create: false,
      durableWrites: false,
    });
    try {
      const head = this.#headOf(await readRange(disk, 0, BATCHES_OFFSET), number);
      return typeof head === 'string' ? head : { ...head, bytes: await disk.size() };
    } finally {
      await disk.close();
    }
  }

  #beginIndex(file: JournalFile): FileIndexBuilder {
    const index = new FileIndexBuilder();
    this.#indexes.set(file, index);
    return index;
  }

  /** Gives a damaged file a second name, so that it stays for people to look at. */
  async #setAside(path: string): Promise<void> {
    await this.#files.link(path, `${path}.damaged`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
      this.#logger.warn(`cannot set ${path} aside`, { error });
    });
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

function addToIndex(index: FileIndexBuilder, operation: Operation, at: number): void {
  if (operation.kind !== 'publish' || operation.transient) return;
  for (const { chain, position, expiresAt } of operation.placements) {
    index.add(chain, position, at, operation.bodyBytes, expiresAt);
  }
}
