import type { Consumer } from '../consumer.js';

/** Who of a queue's consumers is given the next message. */
export interface ConsumerOrder {
  /** A consumer is new. */
  add(consumer: Consumer): void;
  /** A consumer that was parked may have credit again. */
  resume(consumer: Consumer): void;
  /** A consumer has gone. */
  remove(consumer: Consumer): void;
  /** The consumer that is to get the next message; undefined if none can take one now. */
  peek(): Consumer | undefined;
  /** The consumer of {@link peek} has been given a message. */
  advance(): void;
  /** How many messages could be given away at once. */
  takers(): number;
}
