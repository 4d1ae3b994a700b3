import type { DiskFile, Files } from './files.js';

interface OpenFile {
  readonly file: Promise<DiskFile>;
  readers: number;
}

/**
 * Opens files to read from: those who read one at the same time share it, and the one read last
 * stays open, for a long queue is read piece by piece.
 */
export class SharedReads {
  readonly #files: Files;
  readonly #open = new Map<string, OpenFile>();
  /** Path of the file that is open though nobody reads it. */
  #idle: string | undefined;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Reads from a file, which is open until `read` is done. Rejects with Node's error. */
  async from<T>(path: string, read: (file: DiskFile) => Promise<T>): Promise<T> {
    const open = this.#open.get(path) ?? this.#begin(path);
    if (this.#idle === path) this.#idle = undefined;
    open.readers++;
    try {
      return await read(await open.file);
    } catch (error) {
      // What a descriptor has come to that reads fail on is not known: the next read opens anew.
      if (this.#open.get(path) === open) this.#open.delete(path);
      throw error;
    } finally {
      open.readers--;
      if (open.readers === 0) await this.#end(path, open);
    }
  }

  /** Lets go of a file that is not read any more: its room on the disk is to be given back. */
  async forget(path: string): Promise<void> {
    const open = this.#open.get(path);
    if (open === undefined) return;
    this.#open.delete(path);
    if (this.#idle === path) this.#idle = undefined;
    if (open.readers === 0) await close(open);
  }

  /** Lets go of what nobody reads. */
  async close(): Promise<void> {
    if (this.#idle !== undefined) await this.forget(this.#idle);
  }

  #begin(path: string): OpenFile {
    const options = { create: false, durableWrites: false };
    const open = { file: this.#files.open(path, options), readers: 0 };
    this.#open.set(path, open);
    return open;
  }

  async #end(path: string, open: OpenFile): Promise<void> {
    if (this.#open.get(path) !== open) return await close(open);
    const before = this.#idle;
    this.#idle = path;
    if (before !== undefined) await this.forget(before);
  }
}

async function close({ file }: OpenFile): Promise<void> {
  // One that could not be opened has told its readers so.
  const opened = await file.catch(() => undefined);
  await opened?.close();
}
