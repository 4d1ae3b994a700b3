import { dirname } from 'node:path';
import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { DiskFile, Files } from '../disk/files.js';
import { indexPath } from './file-index.js';
import { type JournalOptions, SPARE_NAME, type SyncPolicy } from './journal-file.js';

/**
 * Zeros are written in pieces of this size, each put on the disk before the next: a confirm that
 * waits for the disk waits for no more than one of them.
 */
const PIECE_BYTES = 1_048_576;

/**
 * Batches of more than this share of a file are large: what it costs to extend a file is little
 * beside writing them.
 */
const LARGE_BATCH_SHARE = 1 / 128;

/** For how many files there has to be room on the disk for one to be written that is not filled. */
const ROOM_FILES = 16;

/** How long after a failure it is tried again to make a spare file ready, in milliseconds. */
const RETRY_MILLISECONDS = 1_000;

/**
 * The file the journal goes on in when the current one is full, made ready beforehand: filled with
 * zeros, so that writing to it changes nothing but its content, and so that there is room for it.
 * Files that are no longer needed are used again. What an earlier use has left in them does not
 * matter: checksums start from a number that is new for each use.
 *
 * It is not filled while batches are large, as when a queue is filled as fast as the disk takes it:
 * each octet would be written twice.
 */
export class SpareFile {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #fileBytes: number;
  readonly #sync: SyncPolicy;
  readonly #path: string;
  readonly #found: () => void;
  #isReady = false;
  /** There is one, which has not been filled to its end. */
  #isPart = false;
  /** Batches are so large that an empty file does as well. */
  #isDispensable = false;
  /** There is no room on the disk for another file. */
  isMissing = false;
  #work: Promise<void> = Promise.resolve();
  #retry: Timer | undefined;
  #isClosed = false;

  /** `found` is called when there is room again after there was none. */
  constructor(
    options: JournalOptions,
    ports: { readonly files: Files; readonly clock: Clock; readonly logger: Logger },
    found: () => void,
  ) {
    this.#files = ports.files;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#fileBytes = options.fileBytes;
    this.#sync = options.sync;
    this.#path = `${options.directory}/${SPARE_NAME}`;
    this.#found = found;
  }

  /** Says how large batches have been of late, in octets: whether a spare file is worth it. */
  async weigh(batchBytes: number): Promise<void> {
    const isLarge = batchBytes > this.#fileBytes * LARGE_BATCH_SHARE && !this.isMissing;
    this.#isDispensable = isLarge && (await this.#hasMuchRoom());
  }

  /** Begins to make a spare file ready, if there is none and it is worth it. */
  prepare(): void {
    if (!this.#isDispensable) this.#makeReady();
  }

  /**
   * Opens a file under a new name: the spare one if it is ready, or can be done without; otherwise
   * an empty one.
   */
  async take(path: string): Promise<DiskFile> {
    // In its turn: what is still being filled with zeros must not get a new name meanwhile.
    const taken = this.#work.then(async () => {
      if (!this.#isReady && !this.#isPart) return;
      this.#isReady = false;
      this.#isPart = false;
      await this.#files.rename(this.#path, path);
    });
    this.#work = taken.catch(() => {});
    await taken;
    return await this.#files.open(path, { create: true, durableWrites: this.#sync === 'always' });
  }

  /** Removes files that are of no use to anybody. */
  discard(...paths: readonly string[]): void {
    for (const path of paths) {
      this.#inTurn(async () => {
        if (!this.#isClosed) await this.#files.remove(path);
      });
    }
  }

  /** Takes a journal file that is no longer needed: as the spare one, or to be removed. */
  recycle(path: string): void {
    this.#inTurn(async () => {
      // The directory may be another broker's by now, which finds out by itself what it needs.
      if (this.#isClosed) return;
      await this.#files.remove(indexPath(path)).catch(() => {});
      if (this.#isReady) {
        await this.#files.remove(path);
        return;
      }
      await this.#files.rename(path, this.#path);
      // It may have been the first file of a start, which is not filled beforehand.
      this.#makeReady();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.#work;
  }

  #makeReady(): void {
    this.#inTurn(async () => {
      if (this.#isReady || this.#isClosed) return;
      try {
        this.#isPart = true;
        if (await this.#fill()) this.#ready();
      } catch (error) {
        this.#isPart = false;
        this.#failed(error);
      }
    });
  }

  async #hasMuchRoom(): Promise<boolean> {
    try {
      return (await this.#files.freeBytes(dirname(this.#path))) > ROOM_FILES * this.#fileBytes;
    } catch (error) {
      this.#logger.debug('cannot say how much room there is for the journal', { error });
      return false;
    }
  }

  /** Whether it has been filled to its end, and not been cut short. */
  async #fill(): Promise<boolean> {
    const durableWrites = this.#sync !== 'never';
    const file = await this.#files.open(this.#path, { create: true, durableWrites });
    try {
      const zeros = Buffer.alloc(PIECE_BYTES);
      for (let at = await file.size(); at < this.#fileBytes; ) {
        if (this.#isClosed || this.#isDispensable) return false;
        const bytes = Math.min(PIECE_BYTES, this.#fileBytes - at);
        await file.write(zeros.subarray(0, bytes), at);
        at += bytes;
      }
      // What was in it already, from an earlier use, may not be on the disk.
      if (this.#sync !== 'never') await file.sync();
      return true;
    } finally {
      await file.close();
    }
  }

  #ready(): void {
    if (this.#isClosed) return;
    this.#isReady = true;
    this.#isPart = false;
    if (!this.isMissing) return;
    this.isMissing = false;
    this.#logger.warn('there is room for the journal again');
    this.#found();
  }

  #failed(error: unknown): void {
    if (!this.isMissing) {
      const text =
        'no room for another journal file: publishers of persistent messages wait until there is; ' +
        'free some on the disk, or let consumers drain the queues';
      this.#logger.error(text, { error });
    }
    this.isMissing = true;
    this.#retry = this.#clock.after(RETRY_MILLISECONDS, () => this.prepare());
  }

  /** One thing after the other. What fails here leaves a file behind, and is tried again. */
  #inTurn(action: () => Promise<void>): void {
    this.#work = this.#work.then(action).catch((error: unknown) => {
      this.#logger.warn('cannot clear away a journal file', { error });
    });
  }
}
