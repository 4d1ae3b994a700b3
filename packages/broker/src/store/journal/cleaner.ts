import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Files } from '../disk/files.js';
import type { Chain, Placing, Storable } from './chain.js';
import { readFileIndex, type VisitEntry } from './file-index.js';
import { type JournalFile, locationOf } from './journal-file.js';
import type { JournalReader, ReadMessage } from './journal-reader.js';

/** A full file with a smaller share of its messages alive is not worth its room. */
const LIVE_SHARE_MIN = 0.25;

/** How many messages are looked at, and how many copied, before others get a turn. */
const ENTRIES_AT_ONCE = 8_192;
const COPIES_AT_ONCE = 512;

/** What a cleaner needs of the journal. */
export interface CleanerPorts {
  readonly files: Files;
  readonly reader: JournalReader;
  readonly logger: Logger;
  readonly clock: Clock;
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
        if (file.live < file.placed * LIVE_SHARE_MIN) await this.#emptyUnlessGone(file);
      }
    } catch (error) {
      this.#ports.logger.warn('cannot clean up the journal; it will be tried again', { error });
    } finally {
      this.#isAtWork = false;
    }
  }

  /** It may have been freed, and its file be gone, while another one was emptied or it was read. */
  async #emptyUnlessGone(file: JournalFile): Promise<void> {
    if (file.live === 0) return;
    try {
      await this.#empty(file);
    } catch (error) {
      if (file.live > 0) throw error;
    }
  }

  async #empty(file: JournalFile): Promise<void> {
    const { files, reader, clock, settled } = this.#ports;
    const index = await readFileIndex(files, file.path, file.seed);
    if (index === undefined) return;
    let isMore = true;
    for (let first = 0; isMore; first += ENTRIES_AT_ONCE) {
      if (first > 0) await new Promise<void>((resolve) => clock.after(0, resolve));
      const survivors: Survivor[] = [];
      const found: VisitEntry = (chain, position, offset, _bodyBytes, expiresAt) =>
        this.#found(chain, position, locationOf(file.slot, offset), expiresAt, survivors);
      isMore = index.forEach(found, first, first + ENTRIES_AT_ONCE);
      for (let next = 0; next < survivors.length; ) {
        const use = (read: ReadMessage | undefined): void => {
          next = this.#copyPiece(survivors, next, read);
        };
        await reader.read(file, survivors[next]!.location, use);
        await settled();
      }
    }
  }

  /** Copies what a piece has, from the first on, which is there or damaged. Returns the next. */
  #copyPiece(survivors: readonly Survivor[], first: number, read: ReadMessage | undefined): number {
    const end = Math.min(first + COPIES_AT_ONCE, survivors.length);
    for (let i = first; i < end; i++) {
      const message = read?.(survivors[i]!.location);
      if (message !== undefined) this.#copy(survivors[i]!, message);
      else if (i > first) return i;
    }
    return read === undefined ? first + 1 : end;
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

  /** Notes what an index says of a message, if it is still so. */
  #found(
    chain: number,
    position: number,
    location: number,
    expiresAt: number,
    survivors: Survivor[],
  ): void {
    const store = this.#ports.findStore(chain);
    if (store?.placeOf(position) !== location) return;
    const last = survivors.at(-1);
    const place = { store, position, expiresAt };
    if (last?.location === location) last.places.push(place);
    else survivors.push({ location, places: [place] });
  }
}
