import type { Journal } from '../store/journal/journal.js';
import type { RecoveredChain } from '../store/journal/recovery/recovered-state.js';
import { JournalStore } from '../store/journal-store.js';
import { FreeChunks, LocationTable } from '../store/location-table.js';
import type { MemoryBudget } from '../store/memory-budget.js';
import { MemoryStore } from '../store/memory-store.js';
import type { MessageStore } from '../store/message-store.js';
import type { StoredKey } from './deduplication/stored-key.js';
import type { Message } from './message.js';
import type { QueueStores } from './queue/queue-spec.js';
import type { TopologyChange } from './topology.js';

/** Room for the level of priority in a chain's number. */
const LEVELS = 256;

/** Chains from here on are windows of keys: this and their number. */
const WINDOW_CHAINS = 2 ** 52;

/** What a virtual host asks of whatever survives the process. */
export interface Persistence {
  /** A number for a queue, never given before. */
  newQueueNumber(): number;
  /** Where a queue's messages are kept, and whether they are to survive. */
  storesFor(queueNumber: number, durable: boolean): QueueStores;
  /** Notes a change to the topology that survives. */
  record(change: TopologyChange): void;
  /** Where a window's keys are kept, by its number; undefined if they do not survive. */
  openWindow(number: number): MessageStore<StoredKey> | undefined;
  /** Whether the topology is being put back. */
  readonly isRestoring: boolean;
}

/** Nothing survives. */
export class InMemory implements Persistence {
  #lastQueueNumber = 0;

  newQueueNumber(): number {
    return ++this.#lastQueueNumber;
  }

  storesFor(): QueueStores {
    return MEMORY_STORES;
  }

  record(): void {}

  openWindow(): undefined {}

  readonly isRestoring: boolean = false;
}

const MEMORY_STORES: QueueStores = { open: () => new MemoryStore<Message>(), levels: [] };

/** What has to survive goes to a journal. */
export class Journalled implements Persistence {
  readonly #journal: Journal;
  readonly #budget: MemoryBudget;
  /** Chains from before the start, until their queue is there. */
  readonly #recovered: Map<number, RecoveredChain>;
  readonly #freeChunks = new FreeChunks();
  /** Which levels those have, by the number of the queue. */
  readonly #levels = new Map<number, number[]>();
  #nextQueueNumber = 1;
  /** While the topology is being put back nothing is noted: the journal says it already. */
  #isRestoring = true;

  constructor(
    journal: Journal,
    budget: MemoryBudget,
    recovered: ReadonlyMap<number, RecoveredChain>,
  ) {
    this.#journal = journal;
    this.#budget = budget;
    this.#recovered = new Map(recovered);
    for (const chain of recovered.keys()) {
      const queueNumber = Math.floor(chain / LEVELS);
      const levels = this.#levels.get(queueNumber);
      if (levels === undefined) this.#levels.set(queueNumber, [chain % LEVELS]);
      else levels.push(chain % LEVELS);
    }
  }

  get nextQueueNumber(): number {
    return this.#nextQueueNumber;
  }

  newQueueNumber(): number {
    return this.#nextQueueNumber++;
  }

  get isRestoring(): boolean {
    return this.#isRestoring;
  }

  /** Makes sure that a number is not given again. */
  sawQueueNumber(number: number): void {
    if (number >= this.#nextQueueNumber) this.#nextQueueNumber = number + 1;
  }

  /** Everything is back; changes are noted from now on. */
  restored(): void {
    this.#isRestoring = false;
    this.#recovered.clear();
    this.#levels.clear();
  }

  storesFor(queueNumber: number, durable: boolean): QueueStores {
    const first = queueNumber * LEVELS;
    const levels = this.#levels.get(queueNumber) ?? [];
    // What goes into a queue's store are messages, and so what comes out of it.
    const open = (level: number): MessageStore<Message> =>
      this.#openStore(first + level, durable) as unknown as MessageStore<Message>;
    return { open, levels };
  }

  openWindow(number: number): MessageStore<StoredKey> {
    // The same is true of a window's.
    return this.#openStore(WINDOW_CHAINS + number, true) as unknown as MessageStore<StoredKey>;
  }

  record(change: TopologyChange): void {
    if (!this.#isRestoring) this.#journal.topology(change);
  }

  /** The same for what is not the core's: users and what they may do. Plain data. */
  recordAccess(change: object): void {
    if (!this.#isRestoring) this.#journal.topology(change);
  }

  #openStore(chain: number, durable: boolean): JournalStore {
    const recovered = this.#recovered.get(chain);
    this.#recovered.delete(chain);
    const locations = recovered?.locations ?? new LocationTable(0, this.#freeChunks);
    const reserved = durable ? (recovered?.reserved ?? 0) : 0;
    const remembered = recovered?.remembered ?? new Map();
    const options = { chain, durable, locations, reserved, remembered };
    const store = new JournalStore(options, this.#journal, this.#budget);
    this.#journal.adopt(store);
    return store;
  }
}

/**
 * Which chains a change ends, if any: their queue, their window or the exchange that delays them is
 * gone.
 */
export function chainsEndedBy(change: unknown): ((chain: number) => boolean) | undefined {
  // What the journal holds was written by record().
  const { what, number } = change as { what: string; number?: number };
  if (what === 'window-ended') return (chain) => chain === WINDOW_CHAINS + (number ?? 0);
  if (what !== 'queue-deleted' && what !== 'delays-deleted') return undefined;
  return (chain) => number === Math.floor(chain / LEVELS);
}
