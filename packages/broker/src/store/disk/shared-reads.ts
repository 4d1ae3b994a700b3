import type { DiskFile, Files } from './files.js';

interface OpenFile {
  readonly file: Promise<DiskFile>;
  readers: number;
}

/** Opens files to read from: those who read one at the same time share it. */
export class SharedReads {
  readonly #files: Files;
  readonly #open = new Map<string, OpenFile>();

  constructor(files: Files) {
    this.#files = files;
  }

  /** Reads from a file, which is open until `read` is done. Rejects with Node's error. */
  async from<T>(path: string, read: (file: DiskFile) => Promise<T>): Promise<T> {
    const open = this.#open.get(path) ?? this.#begin(path);
    open.readers++;
    try {
      return await read(await open.file);
    } finally {
      open.readers--;
      if (open.readers === 0) await this.#end(path, open);
    }
  }

  #begin(path: string): OpenFile {
    const options = { create: false, durableWrites: false };
    const open = { file: this.#files.open(path, options), readers: 0 };
    this.#open.set(path, open);
    return open;
  }

  async #end(path: string, open: OpenFile): Promise<void> {
    this.#open.delete(path);
    // One that could not be opened has told its readers so.
    const file = await open.file.catch(() => undefined);
    await file?.close();
  }
}
