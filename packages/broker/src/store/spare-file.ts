import type { Logger } from '../base/logger.js';
import type { DiskFile, Files } from './files.js';

/** Zeros are written in pieces of this size, so that they do not hold up what matters. */
const PIECE_BYTES = 1_048_576;

/**
 * The file the journal goes on in when the current one is full, made ready beforehand: filled with
 * zeros, so that writing to it changes nothing but its content. Files that are no longer needed are
 * used again. What an earlier use has left in them does not matter: checksums start from a number
 * that is new for each use.
 */
export class SpareFile {
  readonly #files: Files;
  readonly #directory: string;
  readonly #fileBytes: number;
  readonly #durable: boolean;
  readonly #logger: Logger;
  readonly #path: string;
  #isReady = false;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(
    files: Files,
    options: { readonly directory: string; readonly fileBytes: number; readonly durable: boolean },
    logger: Logger,
  ) {
    this.#files = files;
    this.#directory = options.directory;
    this.#fileBytes = options.fileBytes;
    this.#durable = options.durable;
    this.#logger = logger;
    this.#path = `${options.directory}/spare`;
  }

  /** Begins to make a spare file ready, if there is none. */
  prepare(): void {
    this.#inTurn(async () => {
      if (this.#isReady || this.#isClosed) return;
      const file = await this.#files.open(this.#path, { create: true, durableWrites: false });
      try {
        const zeros = Buffer.alloc(PIECE_BYTES);
        for (let at = await file.size(); at < this.#fileBytes && !this.#isClosed; ) {
          const bytes = Math.min(PIECE_BYTES, this.#fileBytes - at);
          await file.write(zeros.subarray(0, bytes), at);
          at += bytes;
        }
        if (this.#durable) await file.sync();
      } finally {
        await file.close();
      }
      this.#isReady = !this.#isClosed;
    });
  }

  /** Opens a file under a new name: the spare one if it is ready, otherwise an empty one. */
  async take(path: string): Promise<DiskFile> {
    await this.#work;
    if (this.#isReady) {
      this.#isReady = false;
      await this.#files.rename(this.#path, path);
    }
    return await this.#files.open(path, { create: true, durableWrites: this.#durable });
  }

  /** Takes a file that is no longer needed: as the spare one, or to be removed. */
  recycle(path: string): void {
    this.#inTurn(async () => {
      if (this.#isReady || this.#isClosed) {
        await this.#files.remove(path);
        return;
      }
      await this.#files.rename(path, this.#path);
      this.#isReady = true;
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
    if (this.#durable) await this.#files.syncDirectory(this.#directory);
  }

  /** One thing after the other; what fails is no more than slower: there will be no spare file. */
  #inTurn(action: () => Promise<void>): void {
    this.#work = this.#work.then(action).catch((error: unknown) => {
      this.#isReady = false;
      this.#logger.warn('cannot make a spare journal file ready', { error });
    });
  }
}
