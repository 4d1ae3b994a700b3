/** What a store asks of the messages it holds. */
export interface Stored {
  /** Octets of its body. */
  readonly bodyBytes: number;
  /** One holder more. */
  retain(): void;
  /** One holder less. */
  release(): void;
}

/** What is remembered of a message that has come back. */
export type Returned = Pick<Remembered, 'returns' | 'retryAt'>;

/** What is remembered of a message besides itself. */
export interface Remembered {
  /** Wall time in milliseconds; 0 for never. */
  readonly expiresAt: number;
  /** How often it has come back after it was delivered. */
  readonly returns: number;
  /** Until when it has to wait since it came back: wall time in milliseconds, 0 for not at all. */
  readonly retryAt: number;
}

/** Of no message anything is remembered. */
export const NOTHING_REMEMBERED: ReadonlyMap<number, Remembered> = new Map();

/**
 * The messages of one queue by position. Positions count up from 0 and are never used again, so
 * that a position says where in the queue's order a message belongs, whatever happened to the
 * others.
 *
 * A queue knows which positions are ready and which are delivered; a store knows what lies there.
 * Every store passes the same contract test (`message-store.contract.ts`).
 */
export interface MessageStore<M extends Stored> {
  /** How many messages are held. */
  readonly size: number;
  /** The position the next message will get. */
  readonly next: number;
  /** Messages at positions below this may have been delivered before the store was opened. */
  readonly redeliveredBelow: number;
  /** Told of a message that goes now, because the disk has lost it. */
  onLost: (position: number) => void;
  /**
   * Adds a message at the end, retains it, and returns its position. `expiresAt` is remembered with
   * it: milliseconds of wall time, 0 for never.
   */
  append(message: M, expiresAt?: number): number;
  /** Remembers how often a message has come back, and until when it has to wait. */
  noteReturns(position: number, returned: Returned): void;
  /**
   * Hands over what is remembered of messages from before the broker started, of most of which
   * there is nothing, and forgets it.
   */
  takeRemembered(): ReadonlyMap<number, Remembered>;
  /** Octets of the body of the message at a position, wherever it is; 0 if there is none. */
  bodyBytes(position: number): number;
  /** Whether the message at a position may be read and delivered now. */
  isAtHand(position: number): boolean;
  /** Sees to it that a message comes to hand, and calls `then` when something has; ask again. */
  fetch(position: number, then: () => void): void;
  /** Whether the message at a position can be read now, though it may not be delivered yet. */
  isInMemory(position: number): boolean;
  /** Has it read from the disk, and calls `then` when something has come: ask again. */
  load(position: number, then: () => void): void;
  /** Has several read that may lie far apart; calls `then` when no more of them will come. */
  loadAll(positions: readonly number[], then: () => void): void;
  /** The message at a position, which is in memory. */
  read(position: number): M;
  /** Forgets a message, and releases it. */
  remove(position: number): void;
  /** The smallest position >= `from` that holds a message, or `next`. */
  firstFrom(from: number): number;
  /** Notes that what lies at `undelivered` and after it has not been delivered. */
  settleReservation(undelivered: number): void;
  /** Leaves only the head in memory, as far as the disk can hold the rest. */
  shrink(): void;
  /** Calls `visit` for every message that is in memory, in order of position. */
  forEach(visit: (message: M, position: number) => void): void;
  /** Forgets everything: the queue is gone. */
  clear(): void;
}
