import assert from 'node:assert/strict';
import { Consumer, type ConsumerSpec } from '../consumer.js';
import type { Message } from '../message.js';
import { TestMessage } from '../message.test.support.js';
import type { QueueRequest } from '../queues.js';
import type { VirtualHost } from '../virtual-host.js';
import { CONNECTION, newVirtualHost, queueRequest } from '../virtual-host.test.support.js';
import { integerArgument } from './arguments.js';
import type { Queue } from './queue.js';

/** What has become of a message. */
interface Entry {
  readonly message: TestMessage;
  readonly order: number;
  state: 'ready' | 'delivered' | 'gone';
  wasDelivered: boolean;
}

/** A delivery that waits for its acknowledgement. */
export interface Outstanding {
  readonly entry: Entry;
  readonly position: number;
  readonly consumer: Consumer | undefined;
}

/** A consumer whose channel can be closed to deliveries, as a congested one is. */
export interface Subscriber {
  readonly consumer: Consumer;
  isOpen: boolean;
  isCancelled: boolean;
  readonly received: string[];
}

/**
 * A queue with a channel's part played as a channel plays it, and a record of what ought to be:
 * each delivery is held against it, and {@link check} everything else.
 */
export class QueueWorld {
  readonly queue: Queue;
  readonly subscribers: Subscriber[] = [];
  readonly outstanding: Outstanding[] = [];
  readonly #vhost: VirtualHost = newVirtualHost();
  readonly #entries: Entry[] = [];
  readonly #maximum: number;
  /** Whether messages with the same routing key are a group. */
  #hasGroups = false;
  #isDeleted = false;

  constructor(differing: Partial<QueueRequest> = {}) {
    const request = queueRequest('q', differing);
    this.#maximum = integerArgument(request.arguments, 'x-max-priority') ?? 0;
    this.queue = this.#vhost.queues.declare(request, CONNECTION);
  }

  /** Whether the queue is there for others to find. */
  get isDeclared(): boolean {
    return this.#vhost.queues.get('q') === this.queue;
  }

  /** A message with a priority, and with the same as its routing key; with neither if it is 0. */
  publish(priority: number = 0): TestMessage {
    const order = this.#entries.length;
    const message = new TestMessage(`m${order}`);
    message.priority = priority;
    if (priority > 0) message.routingKey = String(priority);
    this.#entries.push({ message, order, state: 'ready', wasDelivered: false });
    this.queue.publish(message);
    return message;
  }

  subscribe(differing: Partial<ConsumerSpec> = {}): Subscriber {
    const spec = {
      tag: `c${this.subscribers.length}`,
      noAck: false,
      exclusive: false,
      prefetchCount: 0,
      timeoutMilliseconds: undefined,
      priority: 0,
      arguments: new Map(),
      ...differing,
    };
    const subscriber: Subscriber = {
      isOpen: true,
      isCancelled: false,
      received: [],
      consumer: new Consumer(spec, this.queue, {
        canTake: () => subscriber.isOpen,
        deliver: (_consumer, message, position, redelivered) =>
          this.#delivered(subscriber, message, position, redelivered),
        cancelled: () => {
          subscriber.isCancelled = true;
        },
      }),
    };
    this.queue.add(subscriber.consumer, '/');
    this.subscribers.push(subscriber);
    this.queue.drain();
    return subscriber;
  }

  /** Sets or removes a policy: messages with the same routing key are a group. */
  group(hasGroups: boolean): void {
    this.#hasGroups = hasGroups && this.#maximum === 0;
    const definition = { 'group-by': 'routing-key' };
    if (hasGroups) this.#vhost.policies.set({ name: 'p', pattern: '', definition });
    else this.#vhost.policies.delete('p');
  }

  cancel(subscriber: Subscriber): void {
    subscriber.isCancelled = true;
    this.queue.cancel(subscriber.consumer);
  }

  /** Opens a consumer's channel to deliveries again. */
  open(subscriber: Subscriber): void {
    subscriber.isOpen = true;
    this.queue.resume(subscriber.consumer);
  }

  get(noAck: boolean): string | undefined {
    const expected = this.#first();
    const taken = this.queue.get(noAck);
    assert.equal(taken?.message, expected?.message.kept);
    if (taken === undefined || expected === undefined) return undefined;
    assert.equal(taken.redelivered, expected.wasDelivered);
    expected.state = noAck ? 'gone' : 'delivered';
    expected.wasDelivered = true;
    const { position } = taken;
    if (!noAck) this.outstanding.push({ entry: expected, position, consumer: undefined });
    return expected.message.label;
  }

  settle(outstanding: readonly Outstanding[], outcome: 'acknowledge' | 'giveBack'): void {
    for (const each of outstanding) {
      this.outstanding.splice(this.outstanding.indexOf(each), 1);
      each.entry.state = outcome === 'giveBack' && !this.#isDeleted ? 'ready' : 'gone';
      this.queue[outcome](each.position);
      if (each.consumer !== undefined) each.consumer.unacked--;
    }
    for (const { consumer } of outstanding) if (consumer?.parked) this.queue.resume(consumer);
    if (outcome === 'giveBack' || this.queue.hasGroups) this.queue.drain();
  }

  purge(): number {
    for (const entry of this.#entries) if (entry.state === 'ready') entry.state = 'gone';
    return this.queue.purge();
  }

  delete(): void {
    for (const entry of this.#entries) entry.state = 'gone';
    this.#isDeleted = true;
    this.#vhost.queues.drop('q');
  }

  /** That the queue's counts and the messages' holders are right, and nothing waits in vain. */
  check(): void {
    const ready = this.#entries.filter(({ state }) => state === 'ready').length;
    assert.equal(this.queue.messageCount, ready);
    const live = this.subscribers.filter((each) => !each.isCancelled);
    assert.equal(this.queue.consumerCount, live.length);
    if (this.#first() !== undefined) {
      const idle = live.filter(({ consumer }) => consumer.canTake());
      assert.equal(idle.length, 0, 'a message waits, and somebody for it');
    }
    for (const { message, state } of this.#entries) {
      assert.equal(message.kept?.holders ?? 0, state === 'gone' ? 0 : 1, message.label);
    }
  }

  #delivered(to: Subscriber, message: Message, position: number, redelivered: boolean): void {
    const expected = this.#first();
    assert.ok(expected !== undefined, 'delivered out of nowhere');
    // Either it passes through, or it was kept.
    assert.ok(message === expected.message || message === expected.message.kept);
    assert.equal(redelivered, expected.wasDelivered);
    assert.ok(!to.isCancelled, 'delivered to a consumer that was cancelled');
    assert.ok(to.consumer.canTake(), 'delivered to a consumer without credit');
    to.received.push(expected.message.label);
    expected.wasDelivered = true;
    expected.state = to.consumer.noAck ? 'gone' : 'delivered';
    if (to.consumer.noAck) return;
    to.consumer.unacked++;
    this.outstanding.push({ entry: expected, position, consumer: to.consumer });
  }

  /**
   * The message that has to be delivered next: the highest priority, the oldest, of no group that
   * another one of is delivered.
   */
  #first(): Entry | undefined {
    const level = ({ message }: Entry): number => Math.min(message.priority, this.#maximum);
    const held = new Set<string>();
    if (this.#hasGroups) {
      for (const { state, message } of this.#entries) {
        if (state === 'delivered') held.add(message.routingKey);
      }
    }
    held.delete('');
    return this.#entries
      .filter(({ state, message }) => state === 'ready' && !held.has(message.routingKey))
      .sort((a, b) => level(b) - level(a) || a.order - b.order)[0];
  }
}
