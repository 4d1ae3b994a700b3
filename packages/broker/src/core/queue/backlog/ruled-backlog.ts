import type { FieldValue } from '@leveret/amqp';
import type { Deadlines } from '../../../base/deadlines.js';
import type { Random } from '../../../base/random.js';
import type { Remembered, Returned } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import { Burial, type Dying, type Gone } from '../burial.js';
import type { DeadLettering } from '../dead-lettering.js';
import { DeliveryLimit } from '../delivery-limit.js';
import { Expiry } from '../expiry.js';
import { LengthLimit } from '../length-limit.js';
import type { QueuePorts } from '../queue-spec.js';
import { type ComingBack, retryDelay } from '../retry/retry-delay.js';
import type { RetrySettings } from '../retry/retry-settings.js';
import type { QueueSettings } from '../settings.js';
import type { Backlog } from './backlog.js';

/** Whether a queue with such settings needs a backlog with rules. */
export function needsRules(settings: QueueSettings): boolean {
  return (
    settings.deadLetterExchange !== undefined ||
    settings.messageTtlMilliseconds !== undefined ||
    settings.deliveryLimit !== undefined ||
    settings.retry !== undefined ||
    LengthLimit.isSet(settings)
  );
}

/** What a message that has expired in its place is removed for. */
const EXPIRED_READY: Dying = { reason: 'expired', isReady: true };

/**
 * A backlog whose messages are subject to rules: they expire, they must not become too many, they
 * may not come back too often. Each rule is an object of its own, there only if the queue has it;
 * what is here is when each is asked.
 *
 * A queue without rules has a plain backlog, and pays nothing for any of this.
 */
export class RuledBacklog implements Backlog {
  readonly #inner: Backlog;
  readonly #stride: number;
  readonly #deadlines: Deadlines;
  readonly #expiry: Expiry;
  /** Deliveries are counted even where they are not limited: in a quorum queue. */
  readonly #alwaysCounts: boolean;
  readonly #burial: Burial;
  readonly #random: Random;
  /** Told when a message has become ready by itself. */
  readonly #becameReady: () => void;
  /** Messages that have come back, are taken, and become ready at a time. */
  readonly #waiting: Expiry;
  #retry: RetrySettings | undefined;
  #ttlMilliseconds = Number.POSITIVE_INFINITY;
  #limit: LengthLimit | undefined;
  #deliveryLimit: DeliveryLimit | undefined;
  /** Position of a message that a consumer was waiting for: it is delivered, however late. */
  #promised = -1;

  /**
   * `inner` may hold messages already; `stride` says how far apart its positions are. `becameReady`
   * is told of messages that have waited to be tried again.
   */
  constructor(
    queue: string,
    inner: Backlog,
    stride: number,
    alwaysCounts: boolean,
    ports: Pick<QueuePorts, 'deadlines' | 'deathWatch' | 'random'>,
    becameReady: () => void,
  ) {
    const { deadlines, deathWatch, random } = ports;
    this.#inner = inner;
    this.#stride = stride;
    this.#deadlines = deadlines;
    this.#alwaysCounts = alwaysCounts;
    this.#expiry = new Expiry(deadlines, stride, (position) =>
      position === this.#promised ? false : this.#burial.bury(position, EXPIRED_READY),
    );
    this.#random = random;
    this.#becameReady = becameReady;
    this.#waiting = new Expiry(deadlines, stride, (position) => this.#waited(position));
    const gone: Gone = (position, dying) => this.#part(position, dying);
    this.#burial = new Burial(queue, inner, { deadlines, deathWatch, gone });
  }

  get ready(): number {
    return this.#inner.ready;
  }

  /** How many messages wait to be tried again. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get isAtHand(): boolean {
    return this.#inner.isAtHand;
  }

  fetch(then: () => void): void {
    this.#inner.fetch(then);
  }

  get redelivered(): boolean {
    return this.#inner.redelivered;
  }

  /** Changes the rules. Messages keep the deadlines they have; what is too much is dropped. */
  apply(settings: QueueSettings, deadLettering: DeadLettering | undefined): void {
    this.#burial.deadLettering = deadLettering;
    this.#ttlMilliseconds = settings.messageTtlMilliseconds ?? Number.POSITIVE_INFINITY;
    const { deliveryLimit, retry } = settings;
    this.#retry = retry;
    if (deliveryLimit !== undefined || retry !== undefined || this.#alwaysCounts) {
      const counts = this.#deliveryLimit ?? new DeliveryLimit(undefined);
      this.#deliveryLimit = counts.withLimit(deliveryLimit);
    } else {
      this.#deliveryLimit = undefined;
    }
    this.#limit = LengthLimit.isSet(settings)
      ? new LengthLimit(settings, this.#inner, this.#stride, () => this.#waiting.size)
      : undefined;
    this.#dropHead();
  }

  /**
   * The broker has started with these messages: they expire when they always would have, and have
   * come back as often as they had. A clock that was set back delays, it does not hurry.
   */
  restarted(): void {
    const wallTime = this.#deadlines.wallTime();
    for (const [position, { expiresAt, returns, retryAt }] of this.#inner.remembered()) {
      if (!this.#inner.has(position)) continue;
      // A policy that limits them may come yet.
      if (returns > 0) {
        this.#deliveryLimit ??= new DeliveryLimit(undefined);
        this.#deliveryLimit.restore(position, returns);
      }
      if (retryAt > wallTime && this.#inner.withhold(position)) {
        this.#waiting.add(position, this.#deadlines.now() + retryAt - wallTime);
      }
      if (expiresAt === 0) continue;
      this.#expiry.add(position, this.#deadlines.now() + Math.max(0, expiresAt - wallTime));
    }
  }

  /** Whether `count` more messages with `bytes` octets would be refused; see LengthLimit. */
  wouldRefuse(count: number, bytes: number, takers: number): boolean {
    const limit = this.#limit;
    return limit?.refusesPublish === true && limit.wouldExceed(count, bytes, takers);
  }

  /** A message has been refused; it may be borrowed. */
  refused(message: Message): void {
    const { deadLettering } = this.#burial;
    if (this.#limit?.deadLettersRefused !== true || deadLettering === undefined) return;
    deadLettering.send(deadLettering.prepare(message, 'maxlen'));
  }

  /** Adds a message that a consumer waits for, so that its time to live does not matter. */
  appendPromised(message: Message): void {
    this.#promised = this.#add(message);
  }

  append(message: Message): number {
    const position = this.#add(message);
    this.#dropHead();
    // With a time to live of 0, what is not delivered at once is not delivered at all.
    if (this.#lifetime(message) === 0) this.#expiry.expireNow(position);
    return position;
  }

  take(): number {
    for (;;) {
      const position = this.#inner.take();
      if (position < 0) return position;
      this.#limit?.taken(position);
      if (!this.#expiry.taken(position) || position === this.#promised) return position;
      this.#burial.bury(position, { reason: 'expired', isReady: false });
      // The next may have to be brought to hand first.
      if (!this.#inner.isAtHand) return -1;
    }
  }

  read(position: number): Message {
    const message = this.#inner.read(position);
    const count = this.#deliveryLimit?.count(position) ?? 0;
    return count === 0 ? message : withDeliveryCount(message, count);
  }

  /** `how`: whether its consumer gave it back, or has failed. */
  giveBack(position: number, how: ComingBack = 'returned'): void {
    this.#comeBack(position, how);
  }

  /** A taken message has been rejected. */
  reject(position: number): void {
    if (this.#retry?.on.includes('rejected')) this.#comeBack(position, 'rejected');
    else this.#burial.bury(position, { reason: 'rejected', isReady: false });
  }

  withhold(position: number): boolean {
    return this.#inner.withhold(position);
  }

  remove(position: number): void {
    this.#inner.remove(position);
    this.#forget(position);
  }

  drop(position: number): void {
    this.#inner.drop(position);
    this.#forget(position);
  }

  has(position: number): boolean {
    return this.#inner.has(position);
  }

  isInMemory(position: number): boolean {
    return this.#inner.isInMemory(position);
  }

  load(position: number, then: () => void): void {
    this.#inner.load(position, then);
  }

  /** Removes what is ready or waits, without dead-lettering; returns how many there were. */
  purge(): number {
    const waiting = this.#waiting.positions();
    const count = this.#inner.ready + waiting.length;
    for (const position of waiting) this.remove(position);
    for (let position = this.#inner.take(); position >= 0; position = this.#inner.take()) {
      this.remove(position);
    }
    return count;
  }

  forEachReady(visit: (position: number) => void): void {
    this.#inner.forEachReady(visit);
  }

  noteReturns(position: number, returned: Returned): void {
    this.#inner.noteReturns(position, returned);
  }

  remembered(): Iterable<readonly [number, Remembered]> {
    return this.#inner.remembered();
  }

  shrink(): void {
    this.#inner.shrink();
  }

  settle(): void {
    this.#inner.settle();
  }

  forEach(visit: (message: Message) => void): void {
    this.#inner.forEach(visit);
  }

  clear(): void {
    this.#inner.clear();
    this.#expiry.clear();
    this.#waiting.clear();
    this.#deliveryLimit?.clear();
    this.#burial.end();
  }

  #add(message: Message): number {
    const lifetime = this.#lifetime(message);
    const expires = lifetime !== Number.POSITIVE_INFINITY;
    const expiresAt = expires ? this.#deadlines.wallTime() + lifetime : 0;
    const position = this.#inner.append(message, expiresAt);
    this.#limit?.appended(position, message);
    if (expires) this.#expiry.add(position, this.#deadlines.now() + lifetime);
    return position;
  }

  /** How long a message may stay, in milliseconds: what the queue grants, or itself, if less. */
  #lifetime(message: Message): number {
    const { expirationMilliseconds } = message;
    return expirationMilliseconds < 0
      ? this.#ttlMilliseconds
      : Math.min(this.#ttlMilliseconds, expirationMilliseconds);
  }

  /** A taken message has come back: it is ready again, now or later, or it was once too often. */
  #comeBack(position: number, how: ComingBack): void {
    const counts = this.#deliveryLimit;
    const isOnceTooOften = counts?.returned(position) === false;
    if (isOnceTooOften || this.#expiry.returned(position)) {
      const end = how === 'rejected' ? 'rejected' : 'delivery_limit';
      this.#burial.bury(position, { reason: isOnceTooOften ? end : 'expired', isReady: false });
      return;
    }
    const returns = counts?.count(position) ?? 0;
    const delay =
      this.#retry === undefined ? 0 : retryDelay(this.#retry, how, returns, this.#random);
    if (counts !== undefined) {
      const retryAt = delay > 0 ? this.#deadlines.wallTime() + delay : 0;
      this.#inner.noteReturns(position, { returns, retryAt });
    }
    if (delay > 0) this.#waiting.add(position, this.#deadlines.now() + delay);
    else this.#inner.giveBack(position);
    this.#limit?.returned(position);
    this.#dropHead();
  }

  /** A message has waited long enough. */
  #waited(position: number): boolean {
    this.#waiting.removed(position);
    if (this.#inner.has(position)) this.#inner.giveBack(position);
    this.#dropHead();
    this.#becameReady();
    return true;
  }

  #dropHead(): void {
    const limit = this.#limit;
    if (limit === undefined || limit.refusesPublish) return;
    while (limit.isExceeded) {
      const position = this.#inner.take();
      limit.taken(position);
      this.#expiry.taken(position);
      this.#burial.bury(position, { reason: 'maxlen', isReady: false });
    }
  }

  /** A message that has died leaves; the disk may have lost it before. */
  #part(position: number, { isReady }: Dying): void {
    if (!this.#inner.has(position)) this.#forget(position);
    else if (isReady && !this.#waiting.has(position)) this.drop(position);
    else this.remove(position);
  }

  /** A message has gone: no rule has to know it any more. */
  #forget(position: number): void {
    this.#limit?.removed(position);
    this.#expiry.removed(position);
    this.#waiting.removed(position);
    this.#deliveryLimit?.removed(position);
    this.#burial.removed(position);
  }
}

function withDeliveryCount(message: Message, count: number): Message {
  const properties = message.properties();
  const headers = new Map<string, FieldValue>(properties.headers);
  headers.set('x-delivery-count', { type: 'l', value: BigInt(count) });
  return message.withProperties({ ...properties, headers });
}
