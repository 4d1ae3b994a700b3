import { constants } from 'node:fs';
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  rename,
  statfs,
  unlink,
} from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DiskFile, Files, OpenOptions } from './files.js';

/** O_DSYNC is Linux's; elsewhere each write is followed by a sync. */
const DURABLE_WRITES: number | undefined = constants.O_DSYNC;

/** The machine's disk. */
export const nodeFiles: Files = {
  list: (directory) => readdir(directory),
  makeDirectory: async (directory) => {
    const first = await mkdir(directory, { recursive: true, mode: 0o700 });
    await syncNames(resolve(directory), first);
  },
  open: async (path, { create, durableWrites }: OpenOptions) => {
    const flags =
      constants.O_RDWR |
      (create ? constants.O_CREAT : 0) |
      (durableWrites ? (DURABLE_WRITES ?? 0) : 0);
    const handle = await open(path, flags, 0o600);
    return new NodeFile(handle, durableWrites && DURABLE_WRITES === undefined);
  },
  link: (from, to) => link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL)),
  rename: (from, to) => rename(from, to),
  remove: (path) => unlink(path),
  freeBytes: async (directory) => {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  },
  syncDirectory,
};

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the name of a directory durable, and of those above it from the `first` on that is new. */
async function syncNames(directory: string, first: string | undefined): Promise<void> {
  const above = dirname(directory);
  try {
    await syncDirectory(above);
  } catch (error) {
    // One that was there already may lie where its owner may not look.
    if (first !== undefined || (error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
  if (first !== undefined && directory !== first && above !== directory) {
    await syncNames(above, first);
  }
}

class NodeFile implements DiskFile {
  readonly #handle: FileHandle;
  readonly #syncsWrites: boolean;

  constructor(handle: FileHandle, syncsWrites: boolean) {
    this.#handle = handle;
    this.#syncsWrites = syncsWrites;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const left = bytes.length - written;
      const { bytesWritten } = await this.#handle.write(bytes, written, left, position + written);
      written += bytesWritten;
    }
    if (this.#syncsWrites) await this.#handle.datasync();
  }

  async read(buffer: Uint8Array, length: number, position: number): Promise<number> {
    let total = 0;
    while (total < length) {
      const { bytesRead } = await this.#handle.read(
        buffer,
        total,
        length - total,
        position + total,
      );
      if (bytesRead === 0) break;
      total += bytesRead;
    }
    return total;
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
