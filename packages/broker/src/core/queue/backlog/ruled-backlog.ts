import type { FieldValue } from '@leveret/amqp';
import type { Deadlines } from '../../../base/deadlines.js';
import type { Remembered } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import { Burial, type Dying, type Gone } from '../burial.js';
import type { DeadLettering } from '../dead-lettering.js';
import { DeliveryLimit } from '../delivery-limit.js';
import { Expiry } from '../expiry.js';
import { type GroupKey, readGroupKey } from '../groups/group-key.js';
import { LengthLimit } from '../length-limit.js';
import type { QueuePorts } from '../queue-spec.js';
import type { QueueSettings } from '../settings.js';
import type { Backlog } from './backlog.js';

/** Whether a queue with such settings needs a backlog with rules. */
export function needsRules(settings: QueueSettings): boolean {
  return (
    settings.deadLetterExchange !== undefined ||
    settings.messageTtlMilliseconds !== undefined ||
    settings.deliveryLimit !== undefined ||
    settings.groupBy !== undefined ||
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
  #inner: Backlog;
  #groupBy: string | undefined;
  readonly #stride: number;
  readonly #deadlines: Deadlines;
  readonly #expiry: Expiry;
  /** Deliveries are counted even where they are not limited: in a quorum queue. */
  readonly #alwaysCounts: boolean;
  readonly #burial: Burial;
  #ttlMilliseconds = Number.POSITIVE_INFINITY;
  #limit: LengthLimit | undefined;
  #deliveryLimit: DeliveryLimit | undefined;
  /** Position of a message that a consumer was waiting for: it is delivered, however late. */
  #promised = -1;

  /** `inner` may hold messages already; `stride` says how far apart its positions are. */
  constructor(
    queue: string,
    inner: Backlog,
    stride: number,
    alwaysCounts: boolean,
    { deadlines, deathWatch }: Pick<QueuePorts, 'deadlines' | 'deathWatch'>,
  ) {
    this.#inner = inner;
    this.#stride = stride;
    this.#deadlines = deadlines;
    this.#alwaysCounts = alwaysCounts;
    this.#expiry = new Expiry(deadlines, stride, (position) =>
      position === this.#promised ? false : this.#burial.bury(position, EXPIRED_READY),
    );
    const gone: Gone = (position, dying) => this.#part(position, dying);
    this.#burial = new Burial(queue, inner, { deadlines, deathWatch, gone });
  }

  get ready(): number {
    return this.#inner.ready;
  }

  get hasNext(): boolean {
    return this.#inner.hasNext;
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
    if (settings.groupBy !== this.#groupBy) {
      this.#groupBy = settings.groupBy;
      this.groupedBy(readGroupKey(settings.groupBy));
    }
    this.#burial.deadLettering = deadLettering;
    this.#ttlMilliseconds = settings.messageTtlMilliseconds ?? Number.POSITIVE_INFINITY;
    const { deliveryLimit } = settings;
    if (deliveryLimit !== undefined || this.#alwaysCounts) {
      const counts = this.#deliveryLimit ?? new DeliveryLimit(undefined);
      this.#deliveryLimit = counts.withLimit(deliveryLimit);
    } else {
      this.#deliveryLimit = undefined;
    }
    this.#limit = LengthLimit.isSet(settings)
      ? new LengthLimit(settings, this.#inner, this.#stride)
      : undefined;
    this.#dropHead();
  }

  /**
   * The broker has started with these messages: they expire when they always would have, and have
   * come back as often as they had. A clock that was set back delays, it does not hurry.
   */
  restarted(): void {
    const wallTime = this.#deadlines.wallTime();
    for (const [position, { expiresAt, returns }] of this.#inner.remembered()) {
      if (!this.#inner.has(position)) continue;
      this.#deliveryLimit?.restore(position, returns);
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

  /**
   * Adds a message that a consumer waits for, so that its time to live does not matter; unless it
   * has to wait itself, for another one of its group.
   */
  appendPromised(message: Message): void {
    const position = this.#add(message);
    if (this.#inner.hasNext) this.#promised = position;
    else this.#stays(position, message);
  }

  append(message: Message): number {
    const position = this.#add(message);
    this.#stays(position, message);
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

  takeOldest(): number {
    return this.#inner.takeOldest();
  }

  read(position: number): Message {
    const message = this.#inner.read(position);
    const count = this.#deliveryLimit?.count(position) ?? 0;
    return count === 0 ? message : withDeliveryCount(message, count);
  }

  giveBack(position: number): void {
    const counts = this.#deliveryLimit;
    if (counts?.returned(position) === false) {
      this.#burial.bury(position, { reason: 'delivery_limit', isReady: false });
    } else if (this.#expiry.returned(position)) {
      this.#burial.bury(position, { reason: 'expired', isReady: false });
    } else {
      if (counts !== undefined) this.#inner.noteReturns(position, counts.count(position));
      this.#inner.giveBack(position);
      this.#limit?.returned(position);
      this.#dropHead();
    }
  }

  /** A taken message has been rejected. */
  reject(position: number): void {
    this.#burial.bury(position, { reason: 'rejected', isReady: false });
  }

  letGo(position: number): void {
    this.#inner.letGo(position);
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

  /** Removes every ready message without dead-lettering; returns how many there were. */
  purge(): number {
    const count = this.#inner.ready;
    for (let left = count; left > 0; left--) this.remove(this.#inner.takeOldest());
    return count;
  }

  forEachReady(visit: (position: number) => void): void {
    this.#inner.forEachReady(visit);
  }

  noteReturns(position: number, returns: number): void {
    this.#inner.noteReturns(position, returns);
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
    this.#deliveryLimit?.clear();
    this.#burial.end();
  }

  groupedBy(key: GroupKey | undefined): this {
    this.#inner = this.#inner.groupedBy(key);
    this.#burial.moveTo(this.#inner);
    return this;
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

  /** A message is not delivered at once. */
  #stays(position: number, message: Message): void {
    this.#dropHead();
    // With a time to live of 0, what is not delivered at once is not delivered at all.
    if (this.#lifetime(message) === 0) this.#expiry.expireNow(position);
  }

  /** How long a message may stay, in milliseconds: what the queue grants, or itself, if less. */
  #lifetime(message: Message): number {
    const { expirationMilliseconds } = message;
    return expirationMilliseconds < 0
      ? this.#ttlMilliseconds
      : Math.min(this.#ttlMilliseconds, expirationMilliseconds);
  }

  #dropHead(): void {
    const limit = this.#limit;
    if (limit === undefined || limit.refusesPublish) return;
    while (limit.isExceeded) {
      const position = this.#inner.takeOldest();
      limit.taken(position);
      this.#expiry.taken(position);
      this.#burial.bury(position, { reason: 'maxlen', isReady: false });
    }
  }

  /** A message that has died leaves; the disk may have lost it before. */
  #part(position: number, { isReady }: Dying): void {
    if (!this.#inner.has(position)) this.#forget(position);
    else if (isReady) this.drop(position);
    else this.remove(position);
  }

  /** A message has gone: no rule has to know it any more. */
  #forget(position: number): void {
    this.#limit?.removed(position);
    this.#expiry.removed(position);
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
