import { invariant } from '../base/invariant.js';
import { Sequence } from '../base/sequence.js';
import type { MessageWriter } from './journal/batch.js';
import type { Journal } from './journal/journal.js';
import { type LocationTable, MEMORY_ONLY, NOWHERE, PENDING } from './location-table.js';
import type { MessageStore, Stored } from './message-store.js';

/** What a durable queue's store needs to know of a message. */
export interface Storable extends Stored, MessageWriter {
  /** Whether it is to survive the broker. */
  readonly persistent: boolean;
}

/** Messages of one queue that stay in memory; those behind them are on the disk alone. */
const WINDOW_MESSAGES = 16_384;

/** How far ahead of the deliveries a queue reserves positions. */
const RESERVE_AHEAD = 4_096;

/**
 * The messages of a durable queue (of one priority): in memory near the head, in the journal all of
 * them that are persistent, and known by where they are.
 *
 * Before a persistent message is delivered, the journal must know that it may have been: positions
 * are *reserved* in leaps. What lies below the reservation comes back as redelivered after a crash.
 */
export class JournalStore implements MessageStore<Storable> {
  /** The chain's number: the queue's × 256 + the level of priority. */
  readonly chain: number;
  readonly #journal: Journal;
  readonly #locations: LocationTable;
  /** The messages that are in memory. */
  readonly #messages: Sequence<Storable>;
  /** Positions below this may have been delivered, and the disk knows it. */
  #reserved: number;
  /** The same, as far as it has been asked for. */
  #reserving: number;
  /** Removed, but not yet told to the journal: neighbours are told together. */
  #removedFrom = 0;
  #removedCount = 0;
  /** Messages below this position are on the disk. */
  #settledBelow: number;
  #waiting: (() => void)[] = [];
  #isLoading = false;
  #isClosed = false;
  onLost: (position: number) => void = () => {};

  constructor(chain: number, journal: Journal, locations: LocationTable, reserved: number) {
    this.chain = chain;
    this.#journal = journal;
    this.#locations = locations;
    this.#messages = new Sequence(locations.next);
    this.#reserved = reserved;
    this.#reserving = reserved;
    this.#settledBelow = locations.next;
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

  get redeliveredBelow(): number {
    return this.#reserved;
  }

  get locations(): LocationTable {
    return this.#locations;
  }

  append(message: Storable): number {
    message.retain();
    this.#messages.push(message);
    if (!message.persistent) return this.#locations.push(MEMORY_ONLY);
    const position = this.#locations.push(PENDING);
    this.#journal.place(message, this, position);
    return position;
  }

  isAtHand(position: number): boolean {
    if (this.#messages.get(position) === undefined) return false;
    if (position < this.#reserved) {
      if (position >= this.#reserved - RESERVE_AHEAD / 2) this.#reserve(position);
      return true;
    }
    return this.#locations.get(position) === MEMORY_ONLY;
  }

  fetch(position: number, then: () => void): void {
    this.#waiting.push(then);
    if (position >= this.#reserved) this.#reserve(position);
    if (this.#messages.get(position) === undefined) this.#load(position);
  }

  isInMemory(position: number): boolean {
    return this.#messages.get(position) !== undefined;
  }

  load(position: number, then: () => void): void {
    this.#waiting.push(then);
    this.#load(position);
  }

  read(position: number): Storable {
    const message = this.#messages.get(position);
    invariant(message !== undefined, 'a queue read a message that is not at hand');
    // What is delivered need not stay in memory: if it comes back, it can be read again.
    if (this.#messages.size > WINDOW_MESSAGES && position < this.#settledBelow) {
      if (this.#locations.get(position) > 0) this.#forget(position);
    }
    return message;
  }

  remove(position: number): void {
    const location = this.#locations.delete(position);
    invariant(location !== NOWHERE, 'a queue removed a message from its store twice');
    this.#forget(position);
    if (location === MEMORY_ONLY) return;
    this.#journal.released(location);
    if (this.#removedCount > 0 && position === this.#removedFrom + this.#removedCount) {
      this.#removedCount++;
      return;
    }
    if (this.#removedCount === 0) this.#journal.willRemove(this);
    else this.tellRemoved();
    this.#removedFrom = position;
    this.#removedCount = 1;
  }

  firstFrom(from: number): number {
    return this.#locations.firstFrom(from);
  }

  forEach(visit: (message: Storable, position: number) => void): void {
    this.#messages.forEach(visit);
  }

  clear(): void {
    this.#isClosed = true;
    this.#removedCount = 0;
    this.#messages.forEach((message) => message.release());
    this.#locations.forEach((_position, location) => {
      if (location !== MEMORY_ONLY) this.#journal.released(location);
    });
    this.#journal.closed(this);
  }

  /** From the journal: says what has been removed since it asked last. */
  tellRemoved(): void {
    if (this.#removedCount === 0) return;
    this.#journal.remove(this.chain, this.#removedFrom, this.#removedCount);
    this.#removedCount = 0;
  }

  /** From the journal: where a message that was placed will be; false if it is gone by now. */
  located(position: number, location: number): boolean {
    if (this.#isClosed || this.#locations.get(position) === NOWHERE) return false;
    const before = this.#locations.get(position);
    if (before > 0) this.#journal.released(before);
    this.#locations.set(position, location);
    return true;
  }

  /** From the journal: a place has come to nothing; the message will get another. */
  displaced(position: number): void {
    if (!this.#isClosed && this.#locations.get(position) !== NOWHERE) {
      this.#locations.set(position, PENDING);
    }
  }

  /** From the journal: a message is on the disk, and may be only there if the queue is long. */
  settled(position: number): void {
    this.#settledBelow = Math.max(this.#settledBelow, position + 1);
    if (this.#messages.size > WINDOW_MESSAGES && this.#locations.get(position) > 0) {
      this.#forget(position);
    }
  }

  settleReservation(undelivered: number): void {
    if (undelivered >= this.#reserving) return;
    this.#reserving = undelivered;
    this.#journal.reserve(this.chain, undelivered);
  }

  #forget(position: number): void {
    this.#messages.delete(position)?.release();
  }

  #reserve(position: number): void {
    if (position < this.#reserving - RESERVE_AHEAD / 2) return;
    const below = position + RESERVE_AHEAD;
    this.#reserving = below;
    this.#journal.reserve(this.chain, below);
    this.#journal.onDurable(() => {
      this.#reserved = Math.max(this.#reserved, below);
      this.#wake();
    });
  }

  /** Reads messages from the disk, from a position on, as many as come in one piece. */
  #load(position: number): void {
    if (this.#isLoading) return;
    const location = this.#locations.get(position);
    if (location <= 0) return;
    this.#isLoading = true;
    this.#journal.readFrom(location, (read) => {
      this.#isLoading = false;
      if (!this.#isClosed) {
        if (read !== undefined) this.#take(position, read);
        // It may have been moved meanwhile: then it is read from there when it is asked for again.
        else if (this.#locations.get(position) === location) this.#lose(position);
      }
      // Whoever waits for a message of a queue that has gone has to find that out.
      this.#wake();
    });
  }

  #take(from: number, read: (location: number) => Storable | undefined): void {
    for (let position = from; position < this.next; position = this.firstFrom(position + 1)) {
      const location = this.#locations.get(position);
      if (location <= 0 || this.#messages.get(position) !== undefined) continue;
      const message = read(location);
      if (message === undefined) return;
      message.retain();
      this.#messages.restore(position, message);
    }
  }

  #lose(position: number): void {
    if (this.#locations.get(position) === NOWHERE) return;
    this.remove(position);
    this.onLost(position);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then();
  }
}
