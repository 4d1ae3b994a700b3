import type { Logger } from '../../base/logger.js';
import type { Files } from '../disk/files.js';
import type { SharedReads } from '../disk/shared-reads.js';
import type { Chain, Placing, Storable } from './chain.js';
import { type FileIndex, readFileIndex } from './file-index.js';
import { type JournalFile, locationOf } from './journal-file.js';
import { type DecodeMessage, type ReadMessage, readPiece } from './journal-reader.js';

/** A full file with a smaller share of its messages alive is not worth its room. */
const LIVE_SHARE_MIN = 0.25;

/** How many messages are copied before others get a turn. */
const COPIES_AT_ONCE = 512;

/** What a cleaner needs of the journal. */
export interface CleanerPorts {
  readonly files: Files;
  readonly reads: SharedReads;
  readonly logger: Logger;
  readonly decode: DecodeMessage;
  /** The store of a chain, if its queue is still there. */
  readonly findStore: (chain: number) => Chain | undefined;
  /** Writes a message again, for the position it has. */
  readonly place: (message: Storable, store: Chain, position: number, placing: Placing) => void;
  /** Resolves when what was placed is on the disk. */
  readonly settled: () => Promise<void>;
}

/** A message that is still alive in a file, in all the places it has. */
interface Survivor {
  readonly location: number;
  readonly places: {
    readonly store: Chain;
    readonly position: number;
    readonly expiresAt: number;
  }[];
}

/**
 * Empties full journal files that little is left in, by writing what is alive at the journal's head
 * again: one forgotten message must not keep a whole file, and the room a journal takes stays
 * within a few times what is in its queues.
 */
export class Cleaner {
  readonly #ports: CleanerPorts;
  #isAtWork = false;

  constructor(ports: CleanerPorts) {
    this.#ports = ports;
  }

  /** Empties the files that are worth it, one after the other; not while it is at it already. */
  async clean(full: readonly JournalFile[]): Promise<void> {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    try {
      for (const file of full) {
        if (file.live > 0 && file.live < file.placed * LIVE_SHARE_MIN) await this.#empty(file);
      }
    } catch (error) {
      this.#ports.logger.warn('cannot clean up the journal; it will be tried again', { error });
    } finally {
      this.#isAtWork = false;
    }
  }

  async #empty(file: JournalFile): Promise<void> {
    const { files, reads, decode, settled } = this.#ports;
    const index = await readFileIndex(files, file.path, file.seed);
    if (index === undefined) return;
    const survivors = this.#survivors(index, file);
    let read: ReadMessage | undefined;
    for (let i = 0; i < survivors.length; i++) {
      const survivor = survivors[i]!;
      let message = read?.(survivor.location);
      if (message === undefined) {
        read = await readPiece(reads, file, survivor.location, decode);
        message = read?.(survivor.location);
      }
      if (message !== undefined) this.#copy(survivor, message);
      if (i % COPIES_AT_ONCE === COPIES_AT_ONCE - 1) await settled();
    }
    await settled();
  }

  #copy({ location, places }: Survivor, message: Storable): void {
    message.retain();
    for (const { store, position, expiresAt } of places) {
      // Some may have been consumed while the piece was read.
      if (store.placeOf(position) !== location) continue;
      const transient = store.isTransient(position);
      this.#ports.place(message, store, position, { transient, expiresAt });
    }
    message.release();
  }

  #survivors(index: FileIndex, file: JournalFile): Survivor[] {
    const survivors: Survivor[] = [];
    let last: Survivor | undefined;
    index.forEach(({ chain, position, offset, expiresAt }) => {
      const location = locationOf(file.slot, offset);
      const store = this.#ports.findStore(chain);
      if (store?.placeOf(position) !== location) return;
      if (last?.location !== location) {
        last = { location, places: [] };
        survivors.push(last);
      }
      last.places.push({ store, position, expiresAt });
    });
    return survivors;
  }
}
