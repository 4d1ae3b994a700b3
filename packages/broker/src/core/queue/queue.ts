import type { FieldTable } from '@leveret/amqp';
import type { MessageStore } from '../../store/message-store.js';
import type { Consumer } from '../consumer.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Message } from '../message.js';
import type { ConnectionIdentity, QueueOwner } from '../ports.js';
import { Refusal } from '../refusal.js';
import type { Backlog } from './backlog.js';
import { ConsumerRing } from './consumer-ring.js';
import { FifoBacklog } from './fifo-backlog.js';
import { PriorityBacklog } from './priority-backlog.js';

/** What a queue is declared with. */
export interface QueueSpec {
  readonly name: string;
  readonly durable: boolean;
  /** Goes when its last consumer has gone; a queue that never had one stays. */
  readonly autoDelete: boolean;
  /** The connection it belongs to and goes with; undefined for a queue anybody may use. */
  readonly owner: ConnectionIdentity | undefined;
  readonly arguments: FieldTable;
  /** Stands for the queue on the disk: never used again, even if the name is. */
  readonly number: number;
  /** Number of priorities above 0; 0 for a plain queue: the argument `x-max-priority`. */
  readonly maxPriority: number;
}

/** Where a queue's messages are kept. */
export interface QueueStores {
  /** The store for one priority; plain queues have level 0 alone. */
  readonly open: (level: number) => MessageStore<Message>;
  /** Priorities that hold messages from before the broker started. */
  readonly levels: readonly number[];
}

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
  /** Exchanges with a binding to this queue. */
  readonly sources: Set<Exchange> = new Set();
  readonly #owner: QueueOwner;
  readonly #backlog: Backlog;
  readonly #consumers = new Set<Consumer>();
  readonly #ring = new ConsumerRing();
  #deleted = false;

  #isFetching = false;

  constructor(spec: QueueSpec, owner: QueueOwner, stores: QueueStores) {
    this.spec = spec;
    this.#owner = owner;
    this.#backlog =
      spec.maxPriority > 0
        ? new PriorityBacklog(spec.maxPriority, stores.open, stores.levels)
        : new FifoBacklog(stores.open(0));
  }

  get name(): string {
    return this.spec.name;
  }

  /** Messages ready for delivery; those delivered and not yet acknowledged do not count. */
  get messageCount(): number {
    return this.#backlog.ready;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  /** Takes a message: to a consumer at once if one is waiting, else to the end of the queue. */
  publish(message: Message): void {
    // A transaction may be committed after one of its queues has gone.
    if (this.#deleted) return;
    if (this.#backlog.ready > 0) {
      this.#backlog.append(message.keep());
      return;
    }
    const consumer = this.#ring.peek();
    if (consumer?.noAck) {
      this.#ring.advance();
      consumer.sink.deliver(consumer, message, NOT_STORED, false);
      return;
    }
    this.#backlog.append(message.keep());
    if (consumer !== undefined) this.drain();
  }

  /**
   * Adds a consumer, without giving it anything yet: the front end answers first, then calls
   * {@link drain}. Throws a Refusal if the consumer or one that is there wants to be alone.
   */
  add(consumer: Consumer, vhost: string): void {
    const alone = [...this.#consumers].some((each) => each.spec.exclusive);
    if (alone || (consumer.spec.exclusive && this.#consumers.size > 0)) {
      throw new Refusal(
        'access-refused',
        `queue '${this.name}' in vhost '${vhost}' in exclusive use`,
      );
    }
    this.#consumers.add(consumer);
    this.#ring.add(consumer);
  }

  /** Takes a consumer out; its unacknowledged messages stay with its channel. */
  cancel(consumer: Consumer): void {
    if (!this.#consumers.delete(consumer)) return;
    this.#ring.remove(consumer);
    if (this.spec.autoDelete && this.#consumers.size === 0) this.#owner.queueUnused(this);
  }

  /** Tells that a consumer may have got credit again. */
  resume(consumer: Consumer): void {
    if (!consumer.parked || !this.#consumers.has(consumer) || !consumer.canTake()) return;
    this.#ring.add(consumer);
    this.drain();
  }

  /** Gives ready messages to consumers for as long as there are both. */
  drain(): void {
    while (this.#backlog.ready > 0) {
      const consumer = this.#ring.peek();
      if (consumer === undefined) return;
      if (!this.#backlog.isAtHand) {
        this.#fetch();
        return;
      }
      this.#ring.advance();
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

  /** The broker is closing: what was not delivered is noted as such. */
  settle(): void {
    this.#backlog.settle();
  }

  /** Takes the first ready message, for `basic.get`; with `noAck` it is gone from the queue. */
  get(noAck: boolean): Taken | undefined {
    const position = this.#backlog.take();
    if (position < 0) return undefined;
    const message = this.#backlog.read(position);
    const { redelivered } = this.#backlog;
    // The bytes stay valid for the rest of this call, which is all the caller needs them for.
    if (noAck) this.#backlog.remove(position);
    return { message, position, redelivered };
  }

  /** Removes a delivered message for good. */
  acknowledge(position: number): void {
    if (!this.#deleted) this.#backlog.remove(position);
  }

  /** Puts a delivered message back in its place; {@link drain} once all of them are back. */
  giveBack(position: number): void {
    if (!this.#deleted) this.#backlog.giveBack(position);
  }

  /** Removes every ready message; returns how many there were. */
  purge(): number {
    const count = this.#backlog.ready;
    for (let position = this.#backlog.take(); position >= 0; position = this.#backlog.take()) {
      this.#backlog.remove(position);
    }
    return count;
  }

  /** Ends the queue: its consumers are cancelled, its messages are gone. */
  delete(): void {
    this.#deleted = true;
    const consumers = [...this.#consumers];
    this.#consumers.clear();
    for (const consumer of consumers) {
      this.#ring.remove(consumer);
      consumer.sink.cancelled(consumer);
    }
    this.#backlog.clear();
  }

  /** Calls `visit` for every message the queue holds, delivered ones included. */
  forEachMessage(visit: (message: Message) => void): void {
    this.#backlog.forEach(visit);
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
    const { redelivered } = this.#backlog;
    const message = this.#backlog.read(position);
    consumer.sink.deliver(consumer, message, position, redelivered);
    if (consumer.noAck) this.#backlog.remove(position);
  }
}
