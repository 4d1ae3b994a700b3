import type { BasicProperties, FieldValue } from '@leveret/amqp';
import type { Consumer } from './consumer.js';
import type { DeathReason } from './dead-letter/deaths.js';
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

/** What a message is routed to: a queue, or whatever holds it back for a while. */
export interface Receiver {
  readonly name: string;
  /** Takes a message; false if it is full and refuses it, unless it `must` take it. */
  publish(message: Message, must?: boolean): boolean;
  /** Whether the last of so many more messages with so many octets of body would be refused. */
  wouldRefuse(count: number, bytes: number): boolean;
}

/** What a queue tells its owner, the virtual host. */
export interface QueueOwner {
  /** The last consumer has gone. */
  queueUnused(queue: Queue): void;
  /** Nobody has used it for as long as it may stay unused. */
  queueExpired(queue: Queue): void;
}

/** Sees messages die, while it is on: {@link isOn} is asked first. */
export interface DeathWatch {
  readonly isOn: boolean;
  /** The time of a message in that queue was up. The message may be borrowed. */
  expired(queue: string, message: Message): void;
  /**
   * A dead letter from that queue has been published, under the exchange and the routing key it has
   * now, to these queues, which may be none. It may be borrowed.
   */
  deadLettered(
    queue: string,
    letter: Message,
    reason: DeathReason,
    destinations: readonly Receiver[],
  ): void;
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

/** Whether publishers have to wait, because there is too little of something. */
export interface PublishersWait {
  /** Asked for each frame. */
  readonly isRaised: boolean;
  /** RabbitMQ's words: `low on memory`, `low on disk`, `low on memory & disk`. */
  readonly reason: string;
  /** Calls `then` once, at the end of a turn, when they need not wait any more. */
  onCleared(then: () => void): void;
  /** Does not call it after all. */
  forget(then: () => void): void;
}

/** A user who has proved who they are. */
export interface User {
  readonly name: string;
}

/** Why somebody is not let in, for the log; a peer is told as little as RabbitMQ tells. */
export type LoginFailure =
  | 'invalid credentials'
  | 'blank password'
  | 'only from loopback'
  | 'too many failed logins'
  | 'too many logins at a time';

/** Somebody who wants to come in. Strings are wire strings. */
export interface LoginAttempt {
  readonly user: string;
  /** Undefined if the user is known otherwise: by a client certificate, or to be anybody. */
  readonly password: string | undefined;
  /** Where the peer is; empty for a stream that is no socket. */
  readonly address: string;
  /** Whether that is on this machine. */
  readonly isLoopback: boolean;
  /** Whether the peer still waits for the answer. */
  readonly isAwaited: () => boolean;
}

/** Somebody who could be known by their stream, but is not; why, for the log. */
export interface Unproved {
  readonly reason: string;
}

/** Decides who may connect. */
export interface Authenticator {
  login(attempt: LoginAttempt): User | LoginFailure | Promise<User | LoginFailure>;
}

/** The three things that may be permitted, as RabbitMQ has them. */
export type Permission = 'configure' | 'write' | 'read';

/**
 * What one user may do in one virtual host. A front end asks before it acts; the core does not know
 * of users.
 */
export interface Access {
  /** Changes whenever any answer may have: what was remembered at another version is void. */
  readonly version: number;
  /** Whether the user may publish in another's name. */
  readonly mayImpersonate: boolean;
  /** Throws a Refusal if it is not permitted. The default exchange is named `''`. */
  check(permission: Permission, kind: 'queue' | 'exchange', name: string): void;
  /** Whether routing keys have to be checked besides, should the exchange be a topic exchange. */
  governsTopics(exchange: string): boolean;
  /** Throws a Refusal if a routing key or binding key is not permitted on a topic exchange. */
  checkTopic(permission: 'write' | 'read', exchange: string, routingKey: string): void;
}

/** Knows what users may do. */
export interface Authorizer {
  /**
   * What a user may do in a virtual host; undefined for nothing at all. `clientId` is what stands
   * for `{client_id}` in topic permissions, in protocols that have such a thing.
   */
  access(user: string, vhost: string, clientId?: string): Access | undefined;
}

/** Lets connections and channels be, up to the limits of users and virtual hosts. */
export interface Admissions {
  /** Counts a connection in. Throws a Refusal if there are as many as there may be. */
  admit(user: string, vhost: string): Admission;
}

/** A connection that has been counted in. */
export interface Admission {
  /** Counts a channel in. Throws a Refusal if the user has as many as may be. */
  openChannel(): void;
  closeChannel(): void;
  /** The connection is gone, with its channels. */
  leave(): void;
}

/** Who does something, for those who want to know: names, as wire strings. */
export interface Actor {
  /** The user's name. */
  readonly user?: string;
}

/**
 * Stands for the connection that an exclusive queue belongs to: it is compared, and named to those
 * who want to know.
 */
export interface ConnectionIdentity extends Actor {
  /** As RabbitMQ names connections: `127.0.0.1:50000 -> 127.0.0.1:5672`. */
  readonly name?: string;
}

/** A particular of an event. */
export type EventHeader = readonly [name: string, value: FieldValue];

/** Takes note of what happens in the broker. */
export interface EventSink {
  /** Whether anybody wants to know: ask first, so that what nobody hears costs nothing. */
  readonly isHeard: boolean;
  /** `key`: what has happened to what, as in `queue.created`. */
  emit(key: string, headers: readonly EventHeader[]): void;
}

/** Nobody wants to know. */
export const UNHEARD: EventSink = { isHeard: false, emit: () => {} };

/** What a message of the broker's own is made of. Strings are wire strings. */
export interface MessageParts {
  readonly exchange: string;
  /** At most 255 octets. */
  readonly routingKey: string;
  readonly properties: BasicProperties;
  readonly body: Buffer;
}

/** Makes a message in memory of its own: a protocol's front end knows how. */
export type NewMessage = (parts: MessageParts) => Message;
