import type { DiskFile, Files } from '@leveret/broker';

/** A disk that keeps nothing and counts what is asked of it. */
export class CountingFiles implements Files {
  /** Writes to files opened so that each is on the disk before it counts as done. */
  durableWrites = 0;
  syncs = 0;

  list(): Promise<string[]> {
    return Promise.resolve([]);
  }

  open(_path: string, options: { readonly durableWrites: boolean }): Promise<DiskFile> {
    const count = (): Promise<void> => {
      if (options.durableWrites) this.durableWrites++;
      return DONE;
    };
    const sync = (): Promise<void> => {
      this.syncs++;
      return DONE;
    };
    const [size, read] = [() => NOTHING, () => NOTHING];
    return Promise.resolve({ size, read, write: count, sync, close: () => DONE });
  }

  syncDirectory(): Promise<void> {
    this.syncs++;
    return DONE;
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(Number.MAX_SAFE_INTEGER);
  }

  makeDirectory(): Promise<void> {
    return DONE;
  }

  link(): Promise<void> {
    return DONE;
  }

  rename(): Promise<void> {
    return DONE;
  }

  remove(): Promise<void> {
    return DONE;
  }
}

const DONE = Promise.resolve();
const NOTHING = Promise.resolve(0);
