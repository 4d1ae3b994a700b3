import type { Consumer } from '../consumer.js';
import type { QueueDeduplication } from '../deduplication/queue-deduplication.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Message } from '../message.js';
import { nameOf, Refusal } from '../refusal.js';
import { isQuorum, isSingleActive } from './arguments.js';
import type { Backlog } from './backlog/backlog.js';
import { FifoBacklog } from './backlog/fifo-backlog.js';
import { needsRules } from './backlog/needs-rules.js';
import { LEVELS, PriorityBacklog } from './backlog/priority-backlog.js';
import { RuledBacklog } from './backlog/ruled-backlog.js';
import { Consumers } from './consumers.js';
import { DeadLettering } from './dead-lettering.js';
import type { QueuePorts, QueueSpec } from './queue-spec.js';
import type { QueueSettings } from './settings.js';
import { UnusedExpiry } from './unused-expiry.js';

/** A message got with `basic.get`, and where it came from. */
export interface Taken {
  readonly message: Message;
  readonly position: number;
  readonly redelivered: boolean;
}

/** Position of a message that was sent on without ever being stored. */
const NOT_STORED = -1;

/** Holds messages until consumers take them; owner of their order and of its consumers. */
export class Queue {
  readonly kind = 'queue' as const;
  readonly spec: QueueSpec;
  /** Where a message goes that goes nowhere else. */
  readonly alone: readonly Queue[] = [this];
  /** Exchanges with a binding to this queue. */
  readonly sources: Set<Exchange> = new Set();
  readonly #ports: QueuePorts;
  readonly #consumers: Consumers;
  readonly #isQuorum: boolean;
  /** Where its messages are. */
  #backlog: Backlog;
  /** The same, if its messages are subject to any rules. */
  #rules: RuledBacklog | undefined;
  #settings: QueueSettings;
  #unusedExpiry: UnusedExpiry | undefined;
  #hasBegun = false;
  #deleted = false;
  #isFetching = false;

  constructor(spec: QueueSpec, settings: QueueSettings, ports: QueuePorts) {
    this.spec = spec;
    this.#ports = ports;
    this.#isQuorum = isQuorum(spec.arguments);
    this.#consumers = new Consumers(isSingleActive(spec.arguments), ports.quotas);
    this.#backlog =
      spec.maxPriority > 0
        ? new PriorityBacklog(spec.maxPriority, ports.stores.open, ports.stores.levels)
        : new FifoBacklog(ports.stores.open(0));
    this.#settings = settings;
    this.applySettings(settings);
  }

  /**
   * From now on time passes for it, and its rules hold; before, messages from before the broker
   * started may be governed by what has been put back of policies so far.
   */
  begin(): void {
    this.#hasBegun = true;
    // They may expire whether the queue has rules by now or not.
    this.#backlog.takeRemembered((position, remembered) =>
      (this.#rules ?? this.#rule()).remember(position, remembered),
    );
    this.applySettings(this.#settings);
  }

  get name(): string {
    return this.spec.name;
  }

  /** Messages ready for delivery; those delivered and not yet acknowledged do not count. */
  get messageCount(): number {
    return this.#backlog.ready;
  }

  /** Messages that wait to be tried again: they will be ready at their time. */
  get waitingCount(): number {
    return this.#rules?.waiting ?? 0;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  /** Whether only one of its consumers gets messages. */
  get isSingleActive(): boolean {
    return this.#consumers.isSingleActive;
  }

  /** Whether a message may have to wait for another one: settling one may set others free. */
  get hasGroups(): boolean {
    return this.#settings.groupBy !== undefined;
  }

  /** The consumer that gets all messages, if only one does. */
  get activeConsumer(): Consumer | undefined {
    return this.#consumers.active;
  }

  /**
   * Changes what it does with its messages, at run time too: a policy has come, changed or gone.
   */
  applySettings(settings: QueueSettings): void {
    const { deadlines, deadLetterOffice, deduplication, owner } = this.#ports;
    const { groupBy } = this.#settings;
    this.#settings = settings;
    if (this.#isQuorum || needsRules(settings)) this.#rules ??= this.#rule();
    this.#rules?.apply(
      settings,
      DeadLettering.of(this.name, settings, deadLetterOffice),
      deduplication.ofQueue(this.spec, settings.deduplication, this.#rules),
    );
    if (!this.#hasBegun) return;
    this.#rules?.enforce();
    this.#unusedExpiry?.stop();
    this.#unusedExpiry = UnusedExpiry.of(settings, deadlines, () => owner.queueExpired(this));
    this.used();
    if (settings.groupBy !== groupBy) this.drain();
  }

  /** Somebody has used it: if it goes when nobody does, the time runs from now. */
  used(): void {
    if (this.#consumers.size === 0) this.#unusedExpiry?.used();
  }

  /**
   * Takes a message: to a consumer at once if one is waiting, else to the end of the queue. False
   * if it is full and refuses it, which it does not if it `must` take it.
   */
  publish(message: Message, must = false): boolean {
    // A transaction may be committed after one of its queues has gone.
    if (this.#deleted) return true;
    if (this.#rules !== undefined || message.expirationMilliseconds >= 0) {
      return this.#publishUnderRules(message, must);
    }
    if (this.#backlog.ready > 0) {
      this.#backlog.append(message.keep());
      return true;
    }
    const consumer = this.#consumers.order.peek();
    if (consumer?.noAck) {
      this.#consumers.order.advance();
      consumer.sink.deliver(consumer, message, NOT_STORED, false);
      return true;
    }
    this.#backlog.append(message.keep());
    if (consumer !== undefined) this.drain();
    return true;
  }

  /** Whether the last of so many more messages with so many octets of body would be refused. */
  wouldRefuse(count: number, bytes: number): boolean {
    if (this.#rules === undefined || this.#deleted) return false;
    const takers = this.hasGroups || this.#backlog.ready > 0 ? 0 : this.#consumers.order.takers();
    return this.#rules.wouldRefuse(count, bytes, count === 1 ? 0 : takers);
  }

  /** Whether one more message with so many octets of body would push old ones out. */
  wouldDropHead(bytes: number): boolean {
    if (this.#rules === undefined || this.#deleted) return false;
    const takers = this.#backlog.ready > 0 ? 0 : this.#consumers.order.takers();
    return takers === 0 && this.#rules.wouldDropHead(bytes);
  }

  /**
   * Adds a consumer, without giving it anything yet: the front end answers first, then calls
   * {@link drain}. Throws a Refusal if the consumer or one that is there wants to be alone, or
   * there are too many.
   */
  add(consumer: Consumer, vhost: string): void {
    this.#consumers.add(consumer, vhost);
    this.#unusedExpiry?.stop();
  }

  /** Takes a consumer out; its unacknowledged messages stay with its channel. */
  cancel(consumer: Consumer): void {
    if (!this.#consumers.remove(consumer) || this.#consumers.size > 0) return;
    if (this.spec.autoDelete) this.#ports.owner.queueUnused(this);
    else this.used();
  }

  /** Tells that a consumer may have got credit again. */
  resume(consumer: Consumer): void {
    if (this.#consumers.resume(consumer)) this.drain();
  }

  /** Gives ready messages to consumers for as long as there are both. */
  drain(): void {
    while (this.#backlog.hasNext) {
      const consumer = this.#consumers.order.peek();
      if (consumer === undefined) return;
      if (!this.#backlog.isAtHand) {
        this.#fetch();
        return;
      }
      this.#deliverNext(consumer);
    }
  }

  /** Whether {@link get} can answer now. */
  get isAtHand(): boolean {
    return this.#backlog.isAtHand;
  }

  /** Calls `then` when something has come to hand, for {@link get} to be tried again. */
  whenAtHand(then: () => void): void {
    this.#backlog.fetch(then);
  }

  /** There is little room in memory: only the head stays there. */
  shrink(): void {
    this.#backlog.shrink();
  }

  /** The broker is closing: what was not delivered is noted as such. */
  settle(): void {
    this.#backlog.settle();
  }

  /** Makes sure that `basic.get` may be used. Throws a Refusal. */
  checkGettable(vhost: string): void {
    if (!this.#isQuorum || !this.isSingleActive) return;
    const text =
      `cannot obtain access to locked ${nameOf('queue', this.name, vhost)}. basic.get operations ` +
      'are not supported by quorum queues with single active consumer';
    throw new Refusal('resource-locked', text);
  }

  /** Takes the first ready message, for `basic.get`; with `noAck` it is gone from the queue. */
  get(noAck: boolean): Taken | undefined {
    this.used();
    const position = this.#backlog.take();
    if (position < 0) return undefined;
    const message = this.#backlog.read(position);
    const { redelivered } = this.#backlog;
    // The bytes stay valid for the rest of this call, which is all the caller needs them for.
    if (noAck) this.#backlog.remove(position);
    return { message, position, redelivered };
  }

  /** What keeps duplicates out, if anything does. */
  get deduplication(): QueueDeduplication | undefined {
    return this.#rules?.deduplication;
  }

  /** Removes a delivered message for good. */
  acknowledge(position: number): void {
    if (!this.#deleted) this.#backlog.remove(position);
  }

  /** Removes a delivered message that was rejected; it may go to the dead-letter exchange. */
  reject(position: number): void {
    if (this.#deleted) return;
    if (this.#rules === undefined) this.#backlog.remove(position);
    else this.#rules.reject(position);
  }

  /**
   * Puts a delivered message back in its place, which its consumer has `returned`, or not lived to
   * acknowledge; {@link drain} once all of them are back.
   */
  giveBack(position: number, how: 'returned' | 'failed' = 'returned'): void {
    if (this.#deleted) return;
    if (this.#rules === undefined) this.#backlog.giveBack(position);
    else this.#rules.giveBack(position, how);
  }

  /** Removes every message that is ready, or will be; returns how many there were. */
  purge(): number {
    if (this.#rules !== undefined) return this.#rules.purge();
    const count = this.#backlog.ready;
    for (let position = this.#backlog.take(); position >= 0; position = this.#backlog.take()) {
      this.#backlog.remove(position);
    }
    return count;
  }

  /** Ends the queue: its consumers are cancelled, its messages are gone. */
  delete(): void {
    this.#deleted = true;
    this.#unusedExpiry?.stop();
    for (const consumer of this.#consumers.removeAll()) consumer.sink.cancelled(consumer);
    this.#backlog.clear();
  }

  /** Calls `visit` for every message the queue holds, delivered ones included. */
  forEachMessage(visit: (message: Message) => void): void {
    this.#backlog.forEach(visit);
  }

  /** Messages have a time to live, or there may not be too many, or any other rule holds. */
  #rule(): RuledBacklog {
    const stride = this.spec.maxPriority > 0 ? LEVELS : 1;
    const rules = new RuledBacklog(
      this.name,
      this.#backlog,
      stride,
      this.#isQuorum,
      this.#ports,
      () => this.drain(),
    );
    this.#rules = rules;
    this.#backlog = rules;
    return rules;
  }

  #publishUnderRules(message: Message, must: boolean): boolean {
    const rules = this.#rules ?? this.#rule();
    const { deduplication } = rules;
    const key = deduplication?.keyOf(message);
    if (key !== undefined && deduplication?.isDuplicate(key)) {
      rules.keptOut(message);
      return true;
    }
    if (!must && rules.wouldRefuse(1, message.bodyBytes, 0)) {
      rules.refused(message);
      return false;
    }
    const consumer = rules.hasNext ? undefined : this.#consumers.order.peek();
    const passesBy = consumer?.noAck === true && !this.hasGroups;
    let position = NOT_STORED;
    if (consumer === undefined) position = rules.append(message.keep());
    else if (!passesBy) position = rules.appendPromised(message.keep());
    if (key !== undefined) deduplication?.taken(key, position, message.persistent);
    if (consumer === undefined) return true;
    if (passesBy) {
      this.#consumers.order.advance();
      consumer.sink.deliver(consumer, message, NOT_STORED, false);
    } else {
      this.drain();
    }
    return true;
  }

  /** Has the first ready message brought to hand, and goes on then. */
  #fetch(): void {
    if (this.#isFetching) return;
    this.#isFetching = true;
    this.#backlog.fetch(() => {
      this.#isFetching = false;
      if (!this.#deleted) this.drain();
    });
  }

  #deliverNext(consumer: Consumer): void {
    const position = this.#backlog.take();
    // What came first may have expired just now.
    if (position < 0) return;
    this.#consumers.order.advance();
    const { redelivered } = this.#backlog;
    const message = this.#backlog.read(position);
    consumer.sink.deliver(consumer, message, position, redelivered);
    if (consumer.noAck) this.#backlog.remove(position);
  }
}
