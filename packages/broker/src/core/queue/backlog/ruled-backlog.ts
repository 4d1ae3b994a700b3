import type { Deadlines } from '../../../base/deadlines.js';
import type { Remembered, Returned } from '../../../store/message-store.js';
import type { QueueDeduplication } from '../../deduplication/queue-deduplication.js';
import type { Message } from '../../message.js';
import { Burial, type Dying, type Gone } from '../burial.js';
import type { DeadLettering } from '../dead-lettering.js';
import { Expiry } from '../expiry.js';
import { type GroupKey, readGroupKey } from '../groups/group-key.js';
import { LengthLimit } from '../length-limit.js';
import type { QueuePorts } from '../queue-spec.js';
import type { ComingBack } from '../retry/retry-delay.js';
import { ReturnedMessages } from '../retry/returned-messages.js';
import type { QueueSettings } from '../settings.js';
import type { Backlog } from './backlog.js';

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
  readonly #deadlines: Deadlines;
  readonly #expiry: Expiry;
  readonly #burial: Burial;
  onLost: (position: number, wasReady: boolean) => void = () => {};
  #deduplication: QueueDeduplication | undefined;
  /** Told when a message has become ready by itself. */
  readonly #becameReady: () => void;
  readonly #returned: ReturnedMessages;
  #ttlMilliseconds = Number.POSITIVE_INFINITY;
  #limit: LengthLimit | undefined;
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
    this.#deadlines = deadlines;
    this.#expiry = new Expiry(deadlines, stride, (position) =>
      position === this.#promised ? false : this.#burial.bury(position, EXPIRED_READY),
    );
    this.#becameReady = becameReady;
    const waited = (position: number): void => this.#waited(position);
    this.#returned = new ReturnedMessages({ deadlines, random, stride, alwaysCounts, waited });
    const gone: Gone = (position, dying) => this.#part(position, dying);
    this.#burial = new Burial(queue, inner, { deadlines, deathWatch, gone });
    this.#watchLosses();
  }

  get ready(): number {
    return this.#inner.ready;
  }

  get hasNext(): boolean {
    return this.#inner.hasNext;
  }

  /** What keeps duplicates out: the queue asks it before a message is added. */
  get deduplication(): QueueDeduplication | undefined {
    return this.#deduplication;
  }

  /** How many messages wait to be tried again. */
  get waiting(): number {
    return this.#returned.waiting;
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

  /** Changes the rules. Messages keep the deadlines they have; see {@link enforce} for the rest. */
  apply(
    settings: QueueSettings,
    deadLettering: DeadLettering | undefined,
    deduplication?: QueueDeduplication,
  ): void {
    if (settings.groupBy !== this.#groupBy) {
      this.#groupBy = settings.groupBy;
      this.groupedBy(readGroupKey(settings.groupBy));
    }
    this.#burial.deadLettering = deadLettering;
    this.#deduplication = deduplication;
    this.#ttlMilliseconds = settings.messageTtlMilliseconds ?? Number.POSITIVE_INFINITY;
    this.#returned.apply(settings);
    this.#limit = LengthLimit.isSet(settings)
      ? new LengthLimit(settings, this.#inner, () => this.#returned.waiting)
      : undefined;
    // What waits counts as it will when it is ready again.
    for (const position of this.#returned.waitingPositions()) this.#limit?.joined(position);
  }

  /** Drops what has become too much under rules that have changed. */
  enforce(): void {
    this.#dropHead();
  }

  /**
   * The broker has started with this message: it expires when it always would have, and has come
   * back as often as it had. A clock that was set back delays, it does not hurry.
   */
  remember(position: number, { expiresAt, returns, retryAt }: Remembered): void {
    if (!this.#inner.has(position)) return;
    const wallTime = this.#deadlines.wallTime();
    if (returns > 0) this.#returned.restore(position, returns);
    if (retryAt > wallTime && this.#inner.withhold(position)) {
      this.#returned.wait(position, retryAt - wallTime);
    }
    if (expiresAt === 0) return;
    this.#expiry.add(position, this.#deadlines.now() + Math.max(0, expiresAt - wallTime));
  }

  /** Whether `count` more messages with `bytes` octets would be refused; see LengthLimit. */
  wouldRefuse(count: number, bytes: number, takers: number): boolean {
    const limit = this.#limit;
    return limit?.refusesPublish === true && limit.wouldExceed(count, bytes, takers);
  }

  /** Whether one more message with so many octets would be too much, and others be dropped. */
  wouldDropHead(bytes: number): boolean {
    const limit = this.#limit;
    return limit?.refusesPublish === false && limit.wouldExceed(1, bytes, 0);
  }

  /** A message has been refused; it may be borrowed. */
  refused(message: Message): void {
    const { deadLettering } = this.#burial;
    if (this.#limit?.deadLettersRefused !== true || deadLettering === undefined) return;
    deadLettering.send(deadLettering.prepare(message, 'maxlen'));
  }

  /** A message has been kept out: it is a duplicate. It may be borrowed. */
  keptOut(message: Message): void {
    const { deadLettering } = this.#burial;
    const deduplication = this.#deduplication;
    if (deduplication === undefined) return;
    deduplication.keptOut();
    if (!deduplication.settings.deadLetters || deadLettering === undefined) return;
    deadLettering.send(deadLettering.prepare(message, 'duplicate'));
  }

  /**
   * Adds a message that a consumer waits for, so that its time to live does not matter; unless it
   * has to wait itself, for another one of its group.
   */
  appendPromised(message: Message): number {
    const position = this.#add(message);
    if (this.#inner.hasNext) this.#promised = position;
    else this.#stays(position, message);
    return position;
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
      this.#limit?.left(position);
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
    return this.#returned.withCount(position, this.#inner.read(position));
  }

  /** `how`: whether its consumer gave it back, or has failed. */
  giveBack(position: number, how: ComingBack = 'returned'): void {
    this.#comeBack(position, how);
  }

  /** A taken message has been rejected. */
  reject(position: number): void {
    if (this.#returned.retriesRejected) this.#comeBack(position, 'rejected');
    else this.#burial.bury(position, { reason: 'rejected', isReady: false });
  }

  withhold(position: number): boolean {
    return this.#inner.withhold(position);
  }

  letGo(position: number): void {
    this.#inner.letGo(position);
  }

  remove(position: number): void {
    this.#inner.remove(position);
    this.#forget(position);
  }

  drop(position: number): void {
    this.#limit?.left(position);
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
    const waiting = this.#returned.waitingPositions();
    const count = this.#inner.ready + waiting.length;
    for (const position of waiting) this.#removeWaiting(position);
    for (let left = this.#inner.ready; left > 0; left--) {
      const position = this.#inner.takeOldest();
      this.#limit?.left(position);
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

  takeRemembered(visit: (position: number, remembered: Remembered) => void): void {
    this.#inner.takeRemembered(visit);
  }

  bodyBytes(position: number): number {
    return this.#inner.bodyBytes(position);
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
    this.#returned.clear();
    this.#deduplication?.end();
    this.#burial.end();
  }

  groupedBy(key: GroupKey | undefined): this {
    this.#inner = this.#inner.groupedBy(key);
    this.#burial.moveTo(this.#inner);
    this.#watchLosses();
    return this;
  }

  #watchLosses(): void {
    this.#inner.onLost = (position, wasReady) => {
      if (wasReady || this.#returned.isWaiting(position)) this.#limit?.left(position);
      this.#forget(position);
      this.onLost(position, wasReady);
    };
  }

  #add(message: Message): number {
    const lifetime = this.#lifetime(message);
    const expires = lifetime !== Number.POSITIVE_INFINITY;
    const expiresAt = expires ? this.#deadlines.wallTime() + lifetime : 0;
    const position = this.#inner.append(message, expiresAt);
    this.#limit?.joined(position);
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

  /** A taken message has come back: it is ready again, now or later, or it was once too often. */
  #comeBack(position: number, how: ComingBack): void {
    const isOnceTooOften = !this.#returned.comesBack(position);
    if (isOnceTooOften || this.#expiry.returned(position)) {
      const end = how === 'rejected' ? 'rejected' : 'delivery_limit';
      this.#burial.bury(position, { reason: isOnceTooOften ? end : 'expired', isReady: false });
      return;
    }
    const note = this.#returned.keep(position, how);
    if (note !== undefined) this.#inner.noteReturns(position, note);
    if (!this.#returned.isWaiting(position)) this.#inner.giveBack(position);
    this.#limit?.joined(position);
    this.#dropHead();
  }

  /** A message has waited long enough. */
  #waited(position: number): void {
    if (this.#inner.has(position)) this.#inner.giveBack(position);
    this.#dropHead();
    this.#becameReady();
  }

  /** What waits is taken, and counts nevertheless. */
  #removeWaiting(position: number): void {
    this.#limit?.left(position);
    this.remove(position);
  }

  #dropHead(): void {
    const limit = this.#limit;
    if (limit === undefined || limit.refusesPublish) return;
    while (limit.isExceeded) {
      const position = this.#inner.takeOldest();
      limit.left(position);
      this.#expiry.taken(position);
      this.#burial.bury(position, { reason: 'maxlen', isReady: false });
    }
  }

  /** A message that has died leaves; the disk may have lost it before. */
  #part(position: number, { isReady }: Dying): void {
    if (!this.#inner.has(position)) this.#forget(position);
    else if (this.#returned.isWaiting(position)) this.#removeWaiting(position);
    else if (isReady) this.drop(position);
    else this.remove(position);
  }

  /** A message has gone: no rule has to know it any more. */
  #forget(position: number): void {
    this.#expiry.removed(position);
    this.#returned.removed(position);
    this.#deduplication?.removed(position);
    this.#burial.removed(position);
  }
}
