import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Random } from '../base/random.js';
import type { Turn, TurnEnd } from '../base/turn.js';
import { Batch } from './batch.js';
import type { DiskFile, Files } from './files.js';
import {
  fileNumberOf,
  type JournalFile,
  journalFileName,
  locationOf,
  offsetOf,
  readRange,
} from './journal-file.js';
import { encodeFileHeader, FILE_HEADER_BYTES, sealBatch } from './journal-format.js';
import type { JournalStore, Storable } from './journal-store.js';
import { decodePublish, isWholePublish, publishBytes } from './operations.js';
import { encodeSnapshot } from './snapshot.js';
import { SpareFile } from './spare-file.js';

/** How much is read at once when messages are read back, in octets. */
const READ_BYTES = 524_288;

/** Octets gathered and not yet written, above which publishers have to wait. */
const BEHIND_BYTES = 16_777_216;

/** What a failed write waits before it is tried again, in milliseconds. */
const RETRY_MILLISECONDS = 500;

/** Makes a message of its stored bytes; filled by the protocols. */
export type DecodeMessage = (
  format: number,
  priority: number,
  buffer: Buffer,
  start: number,
  end: number,
) => Storable;

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
  readonly #stores = new Set<JournalStore>();
  readonly #spare: SpareFile;
  readonly #epoch: number;
  #nextFileNumber: number;
  #current: { readonly file: JournalFile; readonly disk: DiskFile } | undefined;
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
    this.#spare = new SpareFile(ports.files, options, ports.logger);
  }

  /** How many operations there have been, and how many of them are on the disk. */
  get appended(): number {
    return this.#appended;
  }

  get durable(): number {
    return this.#durable;
  }

  /** Whether publishers should wait: the disk does not keep up, or says no. */
  get isBehind(): boolean {
    return this.#isFailing || this.#gathering.length > BEHIND_BYTES;
  }

  /** Begins this start's first file, with all that is known; nothing is asked for before. */
  async open(): Promise<void> {
    await this.#beginFile(this.#snapshot());
    this.#freeFiles();
    this.#spare.prepare();
  }

  adopt(store: JournalStore): void {
    this.#stores.add(store);
  }

  /** A queue has gone, and its chain with it. */
  closed(store: JournalStore): void {
    this.#stores.delete(store);
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

  /** A message's bytes in the journal are no longer needed. */
  released(location: number): void {
    if (location <= 0) return;
    const file = this.#files.get(fileNumberOf(location));
    if (file !== undefined) file.live--;
  }

  /** Calls `then` when everything asked for so far is on the disk; at once if it is. */
  onDurable(then: () => void): void {
    if (this.#durable >= this.#appended) then();
    else this.#waiting.push({ operation: this.#appended, then });
  }

  /**
   * Reads a piece of a file from a location on. `then` gets a function that makes messages of what
   * lies in the piece, undefined for what does not or is damaged; or undefined if not even the
   * first message could be read.
   */
  readFrom(
    location: number,
    then: (read: ((location: number) => Storable | undefined) | undefined) => void,
  ): void {
    this.#readPiece(location).then(then, (error: unknown) => {
      const { path } = this.#files.get(fileNumberOf(location)) ?? { path: 'a file that is gone' };
      this.#ports.logger.error(`cannot read a message from ${path}`, { error });
      then(undefined);
    });
  }

  endTurn(): void {
    this.#isDeferred = false;
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
      this.#idle?.();
    }
  }

  #finishGathering(): void {
    this.#endPlacing();
    for (const store of this.#removing) store.tellRemoved();
    this.#removing.length = 0;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#gathering;
    this.#gathering = this.#writing;
    this.#writing = batch;
    const last = this.#appended;
    const snapshot = this.#seal(batch, last - batch.count);
    const { file, disk } = this.#current!;
    const wasWritten = await this.#write(disk, batch.bytes, file.bytes - batch.length);
    if (!wasWritten) await this.#writeElsewhere(batch, last);
    else if (snapshot !== undefined) await this.#turnOver(snapshot);
    this.#durable = last;
    batch.forEachPlacement((store, position) => store.settled(position));
    batch.clear();
    this.#tellDurable();
  }

  /**
   * Gives the batch its place in the current file. When that fills the file, returns the snapshot
   * for the next one, taken now: it holds what this batch says, and nothing that comes after.
   */
  #seal(batch: Batch, firstOperation: number): Buffer | undefined {
    const { file } = this.#current!;
    const at = file.bytes;
    batch.sealPublishes(file.seed);
    batch.forEachPlacement((store, position, offset) => {
      if (!store.located(position, locationOf(file.number, at + offset))) return;
      file.placed++;
      file.live++;
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

  async #write(disk: DiskFile, bytes: Buffer, at: number): Promise<boolean> {
    try {
      await disk.write(bytes, at);
      return true;
    } catch (error) {
      this.#ports.logger.error(
        'cannot write to the journal: publishers wait until it is possible',
        {
          error,
        },
      );
      return false;
    }
  }

  /**
   * A write has failed, and what it left behind is unknown: the same batch goes to a new file,
   * before anything newer, as often as it takes. What it says of things that have changed since is
   * of no effect there: the file's snapshot is newer.
   */
  async #writeElsewhere(batch: Batch, last: number): Promise<void> {
    this.#isFailing = true;
    for (;;) {
      await this.#delay(RETRY_MILLISECONDS);
      try {
        await this.#current?.disk.close();
        await this.#beginFile(this.#snapshot());
        this.#seal(batch, last - batch.count);
        const { file, disk } = this.#current!;
        await disk.write(batch.bytes, file.bytes - batch.length);
        break;
      } catch (error) {
        this.#ports.logger.error('still cannot write to the journal', { error });
      }
    }
    this.#isFailing = false;
    this.#ports.logger.warn('the journal can be written again');
  }

  async #turnOver(snapshot: Buffer): Promise<void> {
    const full = this.#current!;
    await this.#beginFile(snapshot);
    await full.disk.close();
    this.#freeFiles();
    this.#spare.prepare();
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
    this.#current = { file, disk };
  }

  #snapshot(): Buffer {
    return encodeSnapshot(this.#ports.topology(), this.#stores);
  }

  /** Gives up the files that nobody needs any more: only the current one is needed for itself. */
  #freeFiles(): void {
    for (const file of this.#files.values()) {
      if (file.live > 0 || file === this.#current?.file) continue;
      this.#files.delete(file.number);
      this.#spare.recycle(file.path);
    }
  }

  #tellDurable(): void {
    const { length } = this.#waiting;
    let due = 0;
    while (due < length && this.#waiting[due]!.operation <= this.#durable) due++;
    for (const { then } of this.#waiting.splice(0, due)) then();
  }

  async #readPiece(
    location: number,
  ): Promise<((location: number) => Storable | undefined) | undefined> {
    const number = fileNumberOf(location);
    const file = this.#files.get(number);
    if (file === undefined) return undefined;
    const start = offsetOf(location);
    const piece = await this.#readBytes(file, start);
    const decode = (each: number): Storable | undefined => {
      if (fileNumberOf(each) !== number || offsetOf(each) < start) return undefined;
      return this.#decode(piece, offsetOf(each) - start, file);
    };
    if (decode(location) !== undefined) return decode;
    this.#ports.logger.error(`a message in ${file.path} at ${start} is damaged, and lost`);
    return undefined;
  }

  async #readBytes(file: JournalFile, start: number): Promise<Buffer> {
    const disk = await this.#ports.files.open(file.path, { create: false, durableWrites: false });
    try {
      const piece = await readRange(disk, start, Math.min(READ_BYTES, file.bytes - start));
      const bytes = publishBytes(piece, 0, piece.length) ?? 0;
      if (bytes <= piece.length || bytes > file.bytes - start) return piece;
      return await readRange(disk, start, bytes);
    } finally {
      await disk.close();
    }
  }

  #decode(piece: Buffer, at: number, file: JournalFile): Storable | undefined {
    const bytes = publishBytes(piece, at, piece.length);
    if (bytes === undefined || at + bytes > piece.length) return undefined;
    if (!isWholePublish(piece, at, at + bytes, file.seed)) return undefined;
    const { format, priority, messageStart, messageEnd } = decodePublish(piece, at);
    return this.#ports.decode(format, priority, piece, messageStart, messageEnd);
  }

  #delay(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ports.clock.after(milliseconds, resolve);
    });
  }
}
