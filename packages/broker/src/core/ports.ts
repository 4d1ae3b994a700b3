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
  /** Nobody has used it for as long as it may stay unused. */
  queueExpired(queue: Queue): void;
}

/** How far what was asked for has got on its way to the disk. */
export interface Durability {
  /** Counts what was asked for: whoever wants to wait for something remembers this number. */
  readonly appended: number;
  /** Has what was removed from queues count as asked for; it is gathered otherwise. */
  tellRemoved(): void;
  /** How much of that is on the disk. */
  readonly durable: number;
  /** Whether publishers should wait: the disk does not keep up. */
  readonly isBehind: boolean;
  /** Calls `then` once publishers need not wait any more; at once if they need not. */
  onRoom(then: () => void): void;
  /** Calls `then` when everything asked for so far is on the disk; at once if it is. */
  onDurable(then: () => void): void;
}

/** Of a broker that keeps everything in memory: there is never anything to wait for. */
export const NOTHING_TO_WAIT_FOR: Durability = {
  appended: 0,
  durable: 0,
  tellRemoved: () => {},
  isBehind: false,
  onRoom: (then) => then(),
  onDurable: (then) => then(),
};

/** A user who has proved who they are. */
export interface User {
  readonly name: string;
}

/** Why somebody is not let in, for the log; a peer is told as little as RabbitMQ tells. */
export type LoginFailure = 'invalid credentials' | 'only from loopback';

/** Decides who may connect. */
export interface Authenticator {
  /** `isLoopback`: whether the peer is on this machine. */
  login(user: string, password: string, isLoopback: boolean): User | LoginFailure;
}

/** Stands for the connection that an exclusive queue belongs to; compared, never looked into. */
export type ConnectionIdentity = object;
