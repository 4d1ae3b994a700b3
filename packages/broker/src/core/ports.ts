import type { Consumer } from './consumer.js';
import type { Message } from './message.js';
import type { Queue } from './queue/queue.js';

/** Where a consumer's messages go: filled by a front end's channel. */
export interface DeliverySink {
  /**
   * Whether the channel may be given another message for this consumer: it has room for output
   * and credit of its own, besides the consumer's.
   */
  canTake(consumer: Consumer): boolean;
  /**
   * Takes a message for a consumer. If it has to be acknowledged, `position` says where it came
   * from in the queue. The message may be borrowed: it is valid during the call only.
   */
  deliver(consumer: Consumer, message: Message, position: number, redelivered: boolean): void;
  /** The consumer's queue is gone, and the consumer with it. */
  cancelled(consumer: Consumer): void;
}

/** What a queue tells its owner, the virtual host. */
export interface QueueOwner {
  /** The last consumer has gone. */
  queueUnused(queue: Queue): void;
}

/** Stands for the connection that an exclusive queue belongs to; compared, never looked into. */
export type ConnectionIdentity = object;
