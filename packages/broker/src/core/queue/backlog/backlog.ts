import type { Remembered, Returned } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import type { GroupKey } from '../groups/group-key.js';

/**
 * The messages of a queue in their order, and which of them are ready. A message that is taken
 * stays where it is until it is removed, and takes its old place again if it is given back.
 */
export interface Backlog {
  /** How many messages are ready: there, and not taken. */
  readonly ready: number;
  /**
   * Whether a message may be there to be taken: something is ready, and has to wait for nothing but
   * the disk. A message may have to wait for another one of its group.
   */
  readonly hasNext: boolean;
  /** Whether the message taken last had been taken before. */
  readonly redelivered: boolean;
  /** Told of a message that goes now, because the disk has lost it. */
  onLost: (position: number, wasReady: boolean) => void;
  /** Whether the next message can be taken and read now; if there is none, true. */
  readonly isAtHand: boolean;
  /** Sees to it that it comes to hand, and calls `then` when something has: ask again. */
  fetch(then: () => void): void;
  /** Adds a message at the end, ready; returns its position. */
  append(message: Message, expiresAt?: number): number;
  /** Takes the next message and returns its position, -1 if there is none. */
  take(): number;
  /** Takes the first ready message, whatever it waits for: not to be delivered but to go. */
  takeOldest(): number;
  /** A message that has been taken, or is in memory. */
  read(position: number): Message;
  /** Puts a taken message back in its place. */
  giveBack(position: number): void;
  /** A taken message will not be given back, though it may stay for a while: none waits for it. */
  letGo(position: number): void;
  /** Takes a message out of its turn that has been taken before; false if it has not been. */
  withhold(position: number): boolean;
  /** Removes a taken message for good. */
  remove(position: number): void;
  /** Removes a ready message for good, wherever it is. */
  drop(position: number): void;
  /** Whether there is a message at a position, taken or not: the disk may have lost it. */
  has(position: number): boolean;
  /** Whether a message can be read now, taken or not. */
  isInMemory(position: number): boolean;
  /** Sees to it that it can be read, and calls `then` when something has come: ask again. */
  load(position: number, then: () => void): void;
  /** Calls `visit` with the position of every ready message. */
  forEachReady(visit: (position: number) => void): void;
  /** Remembers on the disk how often a message has come back, and until when it waits. */
  noteReturns(position: number, returned: Returned): void;
  /** Hands over what is remembered of messages from before the broker started, once. */
  takeRemembered(visit: (position: number, remembered: Remembered) => void): void;
  /** Octets of the body of a message, wherever it is. */
  bodyBytes(position: number): number;
  /** Leaves only the head in memory, as far as the disk can hold the rest. */
  shrink(): void;
  /** Calls `visit` for every message in memory, taken or not. */
  forEach(visit: (message: Message) => void): void;
  /** The broker is closing: notes what has not been delivered, so that it comes back as new. */
  settle(): void;
  /** Removes every message, taken or not: the queue is gone. */
  clear(): void;
  /**
   * The same messages, from now on one at a time of each group, or in groups no longer: what is to
   * be used in its stead. A backlog that cannot hold groups answers itself.
   */
  groupedBy(key: GroupKey | undefined): Backlog;
}
