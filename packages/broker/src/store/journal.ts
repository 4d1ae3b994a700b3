import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Turn, TurnEnd } from '../base/turn.js';
import { Batch } from './batch.js';
import { Cleaner } from './cleaner.js';
import { FileIndexBuilder, indexPath } from './file-index.js';
import type { DiskFile, Files } from './files.js';
import { fileNumberOf, type JournalFile, journalFileName, locationOf } from './journal-file.js';
import { encodeFileHeader, FILE_HEADER_BYTES, sealBatch } from './journal-format.js';
import { type DecodeMessage, type ReadMessage, readPiece } from './journal-reader.js';
import type { JournalStore, Storable } from './journal-store.js';
import { encodeSnapshot } from './snapshot.js';
import { SpareFile } from './spare-file.js';

/** Octets gathered and not yet written, above which publishers have to wait. */
const BEHIND_BYTES = 16_777_216;

/** What a failed write waits before it is tried again, in milliseconds. */
const RETRY_MILLISECONDS = 500;

/** What a journal needs of the world. */
export interface JournalPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly turn: Turn;
  readonly decode: DecodeMessage;
  /** The changes that make the topology what it is, for a file to begin with. */
  readonly topology: () => readonly unknown[];
}

/** How a journal keeps its files. */
export interface JournalOptions {
  readonly directory: string;
  /** Size at which a file is full, in octets. */
  readonly fileBytes: number;
  /** Whether a write counts only when it is on the disk; false promises nothing after a crash. */
  readonly durable: boolean;
}

/** The file being written. */
interface CurrentFile {
  readonly file: JournalFile;
  readonly disk: DiskFile;
  readonly index: FileIndexBuilder;
}

/** What was found on the disk, for a journal to go on from. */
export interface JournalStart {
  readonly files: readonly JournalFile[];
  readonly nextFileNumber: number;
  readonly epoch: number;
  readonly operations: number;
}

/**
 * The one way to the disk: a log of operations, written in batches by one loop. What a turn of the
 * event loop asks for gathers in a batch while the one before is being written; confirms wait for
 * the batch that holds what they confirm. All of a batch is there after a crash, or nothing.
 */
export class Journal implements TurnEnd {
  readonly #ports: JournalPorts;
  readonly #options: JournalOptions;
  readonly #files = new Map<number, JournalFile>();
  /** By chain. */
  readonly #stores = new Map<number, JournalStore>();
  readonly #spare: SpareFile;
  readonly #epoch: number;
  #nextFileNumber: number;
  readonly #cleaner: Cleaner;
  #current: CurrentFile | undefined;
  #gathering = new Batch();
  #writing = new Batch();
  /** The message being placed, and where so far: it is written once, however many queues it is in. */
  #placing: Storable | undefined;
  readonly #placingStores: JournalStore[] = [];
  readonly #placingPositions: number[] = [];
  readonly #removing: JournalStore[] = [];
  #appended: number;
  #durable: number;
  #waiting: { readonly operation: number; readonly then: () => void }[] = [];
  #waitingForRoom: (() => void)[] = [];
  /** A full file has lost its last message. */
  #hasDeadFiles = false;
  #isDeferred = false;
  #isRunning = false;
  #isFailing = false;
  #idle: (() => void) | undefined;

  constructor(ports: JournalPorts, options: JournalOptions, start: JournalStart) {
    this.#ports = ports;
    this.#options = options;
    for (const file of start.files) this.#files.set(file.number, file);
    this.#nextFileNumber = start.nextFileNumber;
    this.#epoch = start.epoch;
    this.#appended = start.operations;
    this.#durable = start.operations;
    this.#spare = new SpareFile(options, ports, () => this.#tellRoom());
    this.#cleaner = new Cleaner({
      ...ports,
      findStore: (chain) => this.#stores.get(chain),
      place: (message, store, position) => this.place(message, store, position),
      settled: () => new Promise((resolve) => this.onDurable(resolve)),
    });
  }

  /** How many operations there have been, and how many of them are on the disk. */
  get appended(): number {
    return this.#appended;
  }

  get durable(): number {
    return this.#durable;
  }

  /**
   * Whether publishers have to wait: the disk does not keep up, or says no, or there is no room for
   * another file, and what is left of this one is for consumers to drain the queues with.
   */
  get isBehind(): boolean {
    return this.#isFailing || this.#spare.isMissing || this.#gathering.length > BEHIND_BYTES;
  }

  /** Calls `then` once publishers need not wait any more; at once if they need not. */
  onRoom(then: () => void): void {
    if (this.isBehind) this.#waitingForRoom.push(then);
    else then();
  }

  /** Begins this start's first file, with all that is known; nothing is asked for before. */
  async open(): Promise<void> {
    await this.#beginFile(this.#snapshot());
    this.#tidyUp();
  }

  adopt(store: JournalStore): void {
    this.#stores.set(store.chain, store);
  }

  /** A queue has gone, and its chain with it. */
  closed(store: JournalStore): void {
    this.#stores.delete(store.chain);
  }

  /** A message takes a position in a queue; it is written once with all the places it takes. */
  place(message: Storable, store: JournalStore, position: number): void {
    if (this.#placing !== message) {
      this.#endPlacing();
      this.#placing = message;
      this.#appended++;
      this.#defer();
    }
    this.#placingStores.push(store);
    this.#placingPositions.push(position);
  }

  remove(chain: number, from: number, count: number): void {
    this.#begin();
    this.#gathering.remove(chain, from, count);
  }

  reserve(chain: number, below: number): void {
    this.#begin();
    this.#gathering.reserve(chain, below);
  }

  topology(change: unknown): void {
    this.#begin();
    this.#gathering.topology(change);
  }

  /** A store has something removed to tell of, before the batch is written. */
  willRemove(store: JournalStore): void {
    this.#removing.push(store);
    this.#defer();
  }

  /** Has the stores tell what they have removed: from now on it counts as asked for. */
  tellRemoved(): void {
    for (const store of this.#removing) store.tellRemoved();
    this.#removing.length = 0;
  }

  /** A message's bytes in the journal are no longer needed. */
  released(location: number): void {
    if (location <= 0) return;
    const file = this.#files.get(fileNumberOf(location));
    if (file === undefined || --file.live > 0 || file === this.#current?.file) return;
    this.#hasDeadFiles = true;
    this.#defer();
  }

  /** Calls `then` when everything asked for so far is on the disk; at once if it is. */
  onDurable(then: () => void): void {
    if (this.#durable >= this.#appended) then();
    else this.#waiting.push({ operation: this.#appended, then });
  }

  /**
   * Reads a piece of a file from a location on. `then` gets a function that makes messages of what
   * lies in the piece, undefined for what does not or is damaged; or undefined if not even the
   * first message is whole. A disk that says no is asked again: nothing is lost by that.
   */
  readFrom(location: number, then: (read: ReadMessage | undefined) => void): void {
    const file = this.#files.get(fileNumberOf(location));
    if (file === undefined) {
      then(undefined);
      return;
    }
    const { files, clock, decode, logger } = this.#ports;
    const reading = readPiece(files, file, location, decode);
    reading.then(
      (read) => {
        if (read === undefined) logger.error(`a message in ${file.path} is damaged, and lost`);
        then(read);
      },
      (error: unknown) => {
        logger.error(`cannot read from ${file.path}; it will be tried again`, { error });
        clock.after(RETRY_MILLISECONDS, () => this.readFrom(location, then));
      },
    );
  }

  endTurn(): void {
    this.#isDeferred = false;
    if (this.#hasDeadFiles) this.#freeFiles();
    void this.#run();
  }

  /** Writes what is gathered, then lets go of the files. */
  async close(): Promise<void> {
    while (!this.#gathering.isEmpty || this.#placing !== undefined || this.#isRunning) {
      if (this.#isFailing) break;
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
      void this.#run();
      await idle;
    }
    await this.#current?.disk.close();
    await this.#spare.close();
  }

  #begin(): void {
    this.#endPlacing();
    this.#appended++;
    this.#defer();
  }

  #defer(): void {
    if (this.#isDeferred || this.#isRunning) return;
    this.#isDeferred = true;
    this.#ports.turn.defer(this);
  }

  #endPlacing(): void {
    const message = this.#placing;
    if (message === undefined) return;
    this.#placing = undefined;
    this.#gathering.publish(message, this.#placingStores, this.#placingPositions);
    this.#placingStores.length = 0;
    this.#placingPositions.length = 0;
  }

  /** The loop: writes batch after batch for as long as there is anything to write. */
  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (this.#finishGathering(); !this.#gathering.isEmpty; this.#finishGathering()) {
        await this.#writeBatch();
      }
    } catch (error) {
      this.#ports.logger.error('internal error in the journal', { error });
    } finally {
      this.#isRunning = false;
      if (this.#hasDeadFiles) this.#freeFiles();
      this.#idle?.();
    }
  }

  #finishGathering(): void {
    this.#endPlacing();
    this.tellRemoved();
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#gathering;
    this.#gathering = this.#writing;
    this.#writing = batch;
    const last = this.#appended;
    const snapshot = this.#seal(batch, last - batch.count);
    const { file, disk } = this.#current!;
    try {
      await disk.write(batch.bytes, file.bytes - batch.length);
    } catch (error) {
      await this.#writeElsewhere(error, batch, last);
    }
    this.#durable = last;
    batch.forEachPlacement((store, position) => store.settled(position));
    batch.clear();
    this.#tellDurable();
    if (snapshot !== undefined && file === this.#current?.file) await this.#turnOver(snapshot);
    this.#tellRoom();
  }

  /**
   * Gives the batch its place in the current file. When that fills the file, returns the snapshot
   * for the next one, taken now: it holds what this batch says, and nothing that comes after.
   */
  #seal(batch: Batch, firstOperation: number): Buffer | undefined {
    const { file, index } = this.#current!;
    const at = file.bytes;
    batch.sealPublishes(file.seed);
    batch.forEachPlacement((store, position, offset) => {
      if (!store.located(position, locationOf(file.number, at + offset))) return;
      file.placed++;
      file.live++;
      index.add(store.chain, position, at + offset);
    });
    const header = {
      epoch: this.#epoch,
      count: batch.count,
      firstOperation,
      durable: this.#durable,
    };
    sealBatch(batch.bytes, header, file.seed);
    file.bytes += batch.length;
    return file.bytes >= this.#options.fileBytes ? this.#snapshot() : undefined;
  }

  /**
   * A write has failed, and what it left behind is unknown: the same batch goes to a new file,
   * before anything newer, as often as it takes. What it says of things that have changed since is
   * of no effect there: the file's snapshot is newer.
   */
  async #writeElsewhere(cause: unknown, batch: Batch, last: number): Promise<void> {
    const failed = this.#current;
    await this.#untilItWorks(cause, async () => {
      await this.#beginFile(this.#snapshot());
      this.#seal(batch, last - batch.count);
      const { file, disk } = this.#current!;
      await disk.write(batch.bytes, file.bytes - batch.length);
    });
    await this.#letGo(failed);
  }

  /** Goes on in a new file: the current one is full. */
  async #turnOver(snapshot: Buffer): Promise<void> {
    const full = this.#current!;
    try {
      await this.#beginFile(snapshot);
    } catch (error) {
      await this.#untilItWorks(error, () => this.#beginFile(this.#snapshot()));
    }
    await this.#letGo(full);
    this.#tidyUp();
  }

  /** Tries something again and again; publishers wait for so long. */
  async #untilItWorks(cause: unknown, action: () => Promise<void>): Promise<void> {
    const { logger } = this.#ports;
    const text = 'cannot write to the journal: publishers wait until it is possible again';
    logger.error(text, { error: cause });
    this.#isFailing = true;
    for (let isDone = false; !isDone; ) {
      await this.#delay(RETRY_MILLISECONDS);
      try {
        await action();
        isDone = true;
      } catch (error) {
        logger.debug('the journal still cannot be written', { error });
      }
    }
    this.#isFailing = false;
    logger.warn('the journal can be written again');
  }

  /** Closes a file that is full or has failed, and leaves its index beside it. */
  async #letGo(current: CurrentFile | undefined): Promise<void> {
    if (current === undefined) return;
    const { files, logger } = this.#ports;
    try {
      await current.disk.close();
      const path = indexPath(current.file.path);
      const disk = await files.open(path, { create: true, durableWrites: false });
      await disk.write(current.index.finish(current.file.seed), 0);
      await disk.close();
    } catch (error) {
      logger.warn('cannot write an index of the journal; the next start takes longer', { error });
    }
  }

  /** Begins a new file with a snapshot; it is the current one when that is on the disk. */
  async #beginFile(snapshot: Buffer): Promise<void> {
    const { files, random } = this.#ports;
    const number = this.#nextFileNumber++;
    const path = `${this.#options.directory}/${journalFileName(number)}`;
    const seed = random.bytes(4).readUInt32BE();
    const disk = await this.#spare.take(path);
    const header = { number, seed, epoch: this.#epoch, firstOperation: this.#appended };
    const batchHeader = {
      epoch: this.#epoch,
      count: 0,
      firstOperation: this.#appended,
      durable: this.#durable,
    };
    sealBatch(snapshot, batchHeader, seed);
    await disk.write(Buffer.concat([encodeFileHeader(header), snapshot]), 0);
    if (this.#options.durable) await files.syncDirectory(this.#options.directory);
    const bytes = FILE_HEADER_BYTES + snapshot.length;
    const file: JournalFile = { number, path, seed, bytes, placed: 0, live: 0 };
    this.#files.set(number, file);
    this.#current = { file, disk, index: new FileIndexBuilder() };
  }

  #snapshot(): Buffer {
    return encodeSnapshot(this.#ports.topology(), this.#stores.values());
  }

  /**
   * Gives up the files that nobody needs any more: only the current one is needed for itself. What
   * was removed from them has to be removed on the disk before they go: until then it may come back.
   */
  #freeFiles(then: () => void = () => {}): void {
    this.#hasDeadFiles = false;
    const unneeded = [...this.#files.values()].filter(
      (file) => file.live === 0 && file !== this.#current?.file,
    );
    this.#finishGathering();
    this.onDurable(() => {
      for (const file of unneeded) {
        if (this.#files.delete(file.number)) this.#spare.recycle(file.path);
      }
      then();
    });
  }

  /** What can wait until a file is full: room is given back, and made ready for the next file. */
  #tidyUp(): void {
    this.#freeFiles(() => {
      this.#spare.prepare();
      const full = [...this.#files.values()].filter((file) => file !== this.#current?.file);
      void this.#cleaner.clean(full).then(() => this.#freeFiles());
    });
  }

  #tellRoom(): void {
    if (this.isBehind) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const then of waiting) then();
  }

  #tellDurable(): void {
    const { length } = this.#waiting;
    let due = 0;
    while (due < length && this.#waiting[due]!.operation <= this.#durable) due++;
    for (const { then } of this.#waiting.splice(0, due)) then();
  }

  #delay(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.clock.after(milliseconds, resolve);
    });
  }
}
