import type { LocationTable } from '../location-table.js';
import type { Returned, Stored } from '../message-store.js';

/** Writes a message's own bytes; declared here, filled by the protocols that know them. */
export interface MessageWriter {
  /** Which protocol reads them back. */
  readonly format: number;
  readonly priority: number;
  /** Octets of its body. */
  readonly bodyBytes: number;
  /** Octets that {@link writeTo} writes. */
  readonly storedBytes: number;
  writeTo(buffer: Buffer, at: number): void;
}

/** What a durable queue's store needs to know of a message. */
export interface Storable extends Stored, MessageWriter {
  /** Whether it is to survive the broker. */
  readonly persistent: boolean;
}

/** How a message takes a position. */
export interface Placing {
  /** It is written to make room in memory, and does not survive the broker. */
  readonly transient: boolean;
  /** When it expires there: milliseconds of wall time, 0 for never. */
  readonly expiresAt: number;
}

/** A row of messages in the journal: what it asks of the store that keeps them. */
export interface Chain {
  /** The chain's number: the queue's × 256 + the level of priority. */
  readonly chain: number;
  /** Whether it survives the broker. */
  readonly durable: boolean;
  /** The position the next message will get. */
  readonly next: number;
  /** Positions below this are known, or will be, as perhaps delivered. */
  readonly reserved: number;
  readonly locations: LocationTable;
  /** What there is to remember of messages that have come back. */
  readonly returned: ReadonlyMap<number, Returned>;
  /** The place in the journal where a message lies; 0 if it lies in memory alone. */
  placeOf(position: number): number;
  /** Whether a message in the journal is there only to make room in memory. */
  isTransient(position: number): boolean;
  /** Where a message that was placed will be; false if it is gone by now. */
  located(position: number, place: number): boolean;
  /** A place has come to nothing; the message will get another. */
  displaced(position: number): void;
  /** A message is on the disk. */
  settled(position: number): void;
  /** Says what has been removed since it was asked last. */
  tellRemoved(): void;
}
