import type { Logger } from '../../base/logger.js';
import type { Files } from '../disk/files.js';
import { indexPath } from './file-index.js';
import type { JournalFile, JournalOptions } from './journal-file.js';
import type { SpareFile } from './spare-file.js';

/** What disposing of files needs of the journal. */
export interface DisposalPorts {
  readonly files: Files;
  readonly logger: Logger;
  /** The files there are, those included that are to go. */
  readonly needed: () => Iterable<JournalFile>;
  /** Whether a file is written to no more. */
  readonly isFull: (file: JournalFile) => boolean;
  /** A file is being given up. */
  readonly gone: (file: JournalFile) => void;
}

/**
 * Gives journal files up that nothing alive is in, after what makes them unneeded is on the disk:
 * otherwise a power loss could find neither the old nor the new. With the sync policy `always` it
 * is, when it has been written; with the others it is synced first.
 */
export class Disposal {
  readonly #ports: DisposalPorts;
  readonly #options: JournalOptions;
  readonly #spare: SpareFile;
  #work: Promise<void> = Promise.resolve();
  /** A sync has failed: which of what was written is on the disk nobody knows. */
  #isInDoubt = false;

  constructor(ports: DisposalPorts, options: JournalOptions, spare: SpareFile) {
    this.#ports = ports;
    this.#options = options;
    this.#spare = spare;
  }

  /** Gives files up, at once or when the disk is ready for it. */
  dispose(unneeded: readonly JournalFile[]): void {
    if (this.#options.sync === 'always') this.#giveUp(unneeded);
    else this.#work = this.#work.then(() => this.#syncAndGiveUp(unneeded));
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    await this.#work;
  }

  async #syncAndGiveUp(unneeded: readonly JournalFile[]): Promise<void> {
    if (this.#isInDoubt) return;
    try {
      await this.#sync(unneeded);
    } catch (error) {
      // A later sync that works proves nothing about what this one has left undone.
      this.#isInDoubt = true;
      const text = 'cannot sync the journal: files that are no longer needed stay until a restart';
      this.#ports.logger.error(text, { error });
      return;
    }
    this.#giveUp(unneeded);
  }

  async #sync(unneeded: readonly JournalFile[]): Promise<void> {
    const { files, needed, isFull } = this.#ports;
    await files.syncDirectory(this.#options.directory);
    for (const file of needed()) {
      if (file.isSynced || unneeded.includes(file)) continue;
      // What is still being written to is synced again the next time.
      const stays = isFull(file);
      const disk = await files.open(file.path, { create: false, durableWrites: false });
      try {
        await disk.sync();
      } finally {
        await disk.close();
      }
      file.isSynced = stays;
    }
  }

  #giveUp(unneeded: readonly JournalFile[]): void {
    const there = new Set(this.#ports.needed());
    for (const file of unneeded) {
      if (!there.has(file)) continue;
      this.#ports.gone(file);
      // What has been set aside is not to be written over: it has the other name's octets too.
      if (file.isSetAside) this.#spare.discard(indexPath(file.path), file.path);
      else this.#spare.recycle(file.path);
    }
  }
}
