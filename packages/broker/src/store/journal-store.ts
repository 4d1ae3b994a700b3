import { invariant } from '../base/invariant.js';
import { Sequence } from '../base/sequence.js';
import type { Chain, Placing, Storable } from './journal/chain.js';
import type { Journal } from './journal/journal.js';
import {
  type LocationTable,
  MEMORY_ONLY,
  NOWHERE,
  PENDING,
  PENDING_TRANSIENT,
  placeOf,
  survives,
  transientAt,
} from './location-table.js';
import type { MemoryBudget } from './memory-budget.js';
import {
  type MessageStore,
  NOTHING_REMEMBERED,
  type Remembered,
  type Returned,
} from './message-store.js';
import { readScattered, type ScatteredPlaces } from './scattered-read.js';

/** How a message is placed that is written to make room in memory. */
const TRANSIENT: Placing = { transient: true, expiresAt: 0 };

/** How far ahead of the deliveries a queue reserves positions; how many are left when it does. */
const RESERVE_AHEAD = 4_096;
const RESERVE_LEFT = 3_072;

/** What a store is opened with. */
export interface JournalStoreOptions {
  /** The chain's number: the queue's × 256 + the level of priority. */
  readonly chain: number;
  /** Whether the queue survives the broker, and its persistent messages with it. */
  readonly durable: boolean;
  readonly locations: LocationTable;
  /** Positions below this may have been delivered before. */
  readonly reserved: number;
  /** What the journal remembers of messages in it. */
  readonly remembered: ReadonlyMap<number, Remembered>;
}

/**
 * The messages of a queue (of one priority): in memory near the head, and known by where they are.
 * In the journal are those that survive the broker, and of the others what lies behind the head of
 * a long queue: those are written to make room in memory, and a start passes over them.
 *
 * Before a persistent message is delivered, the journal must know that it may have been: positions
 * are *reserved* in leaps. What lies below the reservation comes back as redelivered after a crash.
 */
export class JournalStore implements MessageStore<Storable>, Chain {
  readonly chain: number;
  readonly durable: boolean;
  readonly redeliveredBelow: number;
  #remembered: ReadonlyMap<number, Remembered>;
  readonly returned: Map<number, Returned>;
  readonly #journal: Journal;
  readonly #budget: MemoryBudget;
  readonly #locations: LocationTable;
  /** The messages that are in memory, and how many octets they take. */
  #messages: Sequence<Storable>;
  #bytes = 0;
  /** Positions below this may have been delivered, and the disk knows it. */
  #reserved: number;
  /** The same, as far as it has been asked for. */
  #reserving: number;
  /** Removed, but not yet told to the journal: neighbours are told together. */
  #removedFrom = 0;
  #removedCount = 0;
  /** What was in memory when it was given another place: it stays, for whoever had it read. */
  readonly #moving = new Set<number>();
  #waiting: (() => void)[] = [];
  #isLoading = false;
  /** When this position is read, the piece that begins with the other one is worth reading. */
  #aheadAt = Number.POSITIVE_INFINITY;
  #aheadFrom = 0;
  #isClosed = false;
  onLost: (position: number) => void = () => {};

  constructor(options: JournalStoreOptions, journal: Journal, budget: MemoryBudget) {
    const { chain, durable, locations, reserved, remembered } = options;
    this.chain = chain;
    this.durable = durable;
    this.#journal = journal;
    this.#budget = budget;
    this.#locations = locations;
    this.#messages = new Sequence(locations.next);
    this.redeliveredBelow = reserved;
    this.#remembered = remembered;
    this.returned = new Map();
    for (const [position, { returns, retryAt }] of remembered) {
      if (returns > 0) this.returned.set(position, { returns, retryAt });
    }
    this.#reserved = reserved;
    this.#reserving = reserved;
  }

  get size(): number {
    return this.#locations.count;
  }

  get next(): number {
    return this.#locations.next;
  }

  /** What the journal knows, or will know, to be reserved. */
  get reserved(): number {
    return this.#reserving;
  }

  get locations(): LocationTable {
    return this.#locations;
  }

  append(message: Storable, expiresAt = 0): number {
    this.#hold(message);
    this.#messages.push(message);
    if (this.durable && message.persistent) {
      const position = this.#locations.push(PENDING, message.bodyBytes);
      this.#journal.place(message, this, position, { transient: false, expiresAt });
      return position;
    }
    if (!this.#isDeep()) return this.#locations.push(MEMORY_ONLY, message.bodyBytes);
    const position = this.#locations.push(PENDING_TRANSIENT, message.bodyBytes);
    this.#journal.place(message, this, position, TRANSIENT);
    return position;
  }

  takeRemembered(): ReadonlyMap<number, Remembered> {
    const remembered = this.#remembered;
    this.#remembered = NOTHING_REMEMBERED;
    return remembered;
  }

  bodyBytes(position: number): number {
    return this.#locations.bodyBytes(position);
  }

  noteReturns(position: number, returned: Returned): void {
    if (!survives(this.#locations.get(position))) return;
    this.returned.set(position, returned);
    this.#journal.returned(this.chain, position, returned);
  }

  isAtHand(position: number): boolean {
    if (this.#messages.get(position) === undefined) return false;
    if (position < this.#reserved) {
      if (position >= this.#reserved - RESERVE_LEFT) this.#reserve(position);
      return true;
    }
    return !survives(this.#locations.get(position));
  }

  fetch(position: number, then: () => void): void {
    this.#waiting.push(then);
    if (position >= this.#reserved && survives(this.#locations.get(position))) {
      this.#reserve(position);
    }
    if (this.#messages.get(position) === undefined) this.#load(position);
  }

  isInMemory(position: number): boolean {
    return this.#messages.get(position) !== undefined;
  }

  load(position: number, then: () => void): void {
    this.#waiting.push(then);
    this.#load(position);
  }

  loadAll(positions: readonly number[], then: () => void): void {
    readScattered(positions, this.#scattered, then);
  }

  read(position: number): Storable {
    const message = this.#messages.get(position);
    invariant(message !== undefined, 'a queue read a message that is not at hand');
    if (position >= this.#aheadAt) this.#loadAhead();
    // What is delivered need not stay in memory: if it comes back, it can be read again.
    if (this.#isDeep() && placeOf(this.#locations.get(position)) !== 0) this.#forget(position);
    return message;
  }

  remove(position: number): void {
    const location = this.#locations.delete(position);
    invariant(location !== NOWHERE, 'a queue removed a message from its store twice');
    this.#forget(position);
    this.#journal.released(placeOf(location));
    if (!survives(location)) return;
    if (this.returned.size > 0) this.returned.delete(position);
    this.#noteRemoved(position);
  }

  firstFrom(from: number): number {
    return this.#locations.firstFrom(from);
  }

  forEach(visit: (message: Storable, position: number) => void): void {
    this.#messages.forEach(visit);
  }

  shrink(): void {
    const { messages } = this.#budget.window;
    let kept = 0;
    this.#messages.forEach((message, position) => {
      if (++kept <= messages) return;
      const location = this.#locations.get(position);
      if (placeOf(location) !== 0) this.#forget(position);
      if (location !== MEMORY_ONLY) return;
      this.#locations.set(position, PENDING_TRANSIENT);
      this.#journal.place(message, this, position, TRANSIENT);
    });
  }

  clear(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#removedCount = 0;
    this.#moving.clear();
    this.#messages.forEach((message) => message.release());
    // The journal may still be writing some of them, and will say so.
    this.#messages = new Sequence(this.next);
    this.#bytes = 0;
    this.#locations.forEach((_position, location) => this.#journal.released(placeOf(location)));
    this.#journal.closed(this);
  }

  /** From the journal: says what has been removed since it asked last. */
  tellRemoved(): void {
    if (this.#removedCount === 0) return;
    this.#journal.remove(this.chain, this.#removedFrom, this.#removedCount);
    this.#removedCount = 0;
  }

  /** Whether a message in the journal is there only to make room in memory. */
  isTransient(position: number): boolean {
    return !survives(this.#locations.get(position));
  }

  /** The place in the journal where a message lies; 0 if it lies in memory alone. */
  placeOf(position: number): number {
    return placeOf(this.#locations.get(position));
  }

  /** From the journal: where a message that was placed will be; false if it is gone by now. */
  located(position: number, place: number): boolean {
    const before = this.#locations.get(position);
    if (this.#isClosed || before === NOWHERE) return false;
    this.#journal.released(placeOf(before));
    if (placeOf(before) !== 0 && this.isInMemory(position)) this.#moving.add(position);
    this.#locations.set(position, survives(before) ? place : transientAt(place));
    return true;
  }

  /** From the journal: a place has come to nothing; the message will get another. */
  displaced(position: number): void {
    const before = this.#locations.get(position);
    if (this.#isClosed || before === NOWHERE) return;
    this.#locations.set(position, survives(before) ? PENDING : PENDING_TRANSIENT);
  }

  /** From the journal: a message is on the disk, and may be only there if the queue is long. */
  settled(position: number): void {
    if (this.#moving.size > 0 && this.#moving.delete(position)) return;
    if (this.#isDeep() && placeOf(this.#locations.get(position)) !== 0) this.#forget(position);
  }

  settleReservation(undelivered: number): void {
    if (!this.durable || undelivered >= this.#reserving) return;
    this.#reserving = undelivered;
    this.#journal.reserve(this.chain, undelivered);
  }

  /** Whether more of the queue is in memory than there should be. */
  #isDeep(): boolean {
    const { messages, bytes } = this.#budget.window;
    return this.#messages.size > messages || this.#bytes > bytes;
  }

  #hold(message: Storable): void {
    message.retain();
    this.#bytes += message.storedBytes;
  }

  #forget(position: number): void {
    const message = this.#messages.delete(position);
    if (message === undefined) return;
    this.#bytes -= message.storedBytes;
    message.release();
  }

  #noteRemoved(position: number): void {
    if (this.#removedCount > 0 && position === this.#removedFrom + this.#removedCount) {
      this.#removedCount++;
      return;
    }
    if (this.#removedCount === 0) this.#journal.willRemove(this);
    else this.tellRemoved();
    this.#removedFrom = position;
    this.#removedCount = 1;
  }

  #reserve(position: number): void {
    if (position < this.#reserving - RESERVE_LEFT) return;
    const below = position + RESERVE_AHEAD;
    this.#reserving = below;
    this.#journal.reserve(this.chain, below);
    this.#journal.onDurable(() => {
      this.#reserved = Math.max(this.#reserved, below);
      this.#wake();
    });
  }

  /** Has the next piece read while this one is being delivered, if there is room for it. */
  #loadAhead(): void {
    this.#aheadAt = Number.POSITIVE_INFINITY;
    const position = this.firstFrom(this.#aheadFrom);
    if (position === this.next || this.isInMemory(position) || this.#isDeep()) return;
    if (this.placeOf(position) !== 0) this.#load(position, true);
  }

  /** Reads messages from the disk, from a position on, as many as come in one piece. */
  #load(position: number, isAhead = false): void {
    if (this.#isLoading) return;
    const place = this.placeOf(position);
    if (place === 0) {
      // The write that was to put it there has failed; it gets another place.
      this.#journal.onDurable(() => this.#wake());
      return;
    }
    this.#isLoading = true;
    this.#journal.readFrom(place, (read) => {
      this.#isLoading = false;
      if (!this.#isClosed) {
        if (read !== undefined) {
          if (this.#isDeep() && !isAhead) this.#forgetBefore(position);
          this.#take(position, read);
        }
        // It may have been moved meanwhile: then it is read from there when it is asked for again.
        else if (this.placeOf(position) === place) this.#lose(position);
      }
      // Whoever waits for a message of a queue that has gone has to find that out.
      this.#wake();
    });
  }

  /**
   * Messages before the one that is asked for wait for something else: what came with others in a
   * piece must not gather in memory.
   */
  #forgetBefore(end: number): void {
    this.#messages.forEach((_message, position) => {
      if (position < end && this.placeOf(position) !== 0) this.#forget(position);
    });
  }

  readonly #scattered: ScatteredPlaces = {
    placeOf: (position) =>
      this.#isClosed || this.isInMemory(position) ? 0 : this.placeOf(position),
    readFrom: (place, then, bytes) => this.#journal.readFrom(place, then, bytes),
    take: (position, message) => this.#keep(position, message),
    lose: (position) => this.#lose(position),
  };

  #take(from: number, read: (location: number) => Storable | undefined): void {
    for (let position = from; position < this.next; position = this.firstFrom(position + 1)) {
      const place = this.placeOf(position);
      if (place === 0 || this.#messages.get(position) !== undefined) continue;
      const message = read(place);
      if (message === undefined) {
        this.#aheadAt = from;
        this.#aheadFrom = position;
        return;
      }
      this.#keep(position, message);
    }
  }

  /** A message that was on the disk alone is in memory too. */
  #keep(position: number, message: Storable): void {
    if (this.#messages.get(position) !== undefined) return;
    this.#hold(message);
    this.#messages.restore(position, message);
  }

  #lose(position: number): void {
    if (this.#locations.get(position) === NOWHERE) return;
    this.onLost(position);
    this.remove(position);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }
}
