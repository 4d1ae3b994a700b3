import type { FieldValue } from '@leveret/amqp';
import type { Deadlines } from '../../../base/deadlines.js';
import type { Random } from '../../../base/random.js';
import type { Returned } from '../../../store/message-store.js';
import type { Message } from '../../message.js';
import { DeliveryLimit } from '../delivery-limit.js';
import { Expiry } from '../expiry.js';
import type { QueueSettings } from '../settings.js';
import { type ComingBack, retryDelay } from './retry-delay.js';
import type { RetrySettings } from './retry-settings.js';

/** What a queue's returned messages need of it. */
export interface ReturnedMessagesPorts {
  readonly deadlines: Deadlines;
  readonly random: Random;
  /** How far apart the queue's positions are. */
  readonly stride: number;
  /** Deliveries are counted even where they are not limited: in a quorum queue. */
  readonly alwaysCounts: boolean;
  /** A message has waited long enough. */
  readonly waited: (position: number) => void;
}

/**
 * The messages of a queue that have been delivered and have come back: how often each has, and
 * which of them wait to be tried again. Those that wait are taken, for the queue.
 */
export class ReturnedMessages {
  readonly #deadlines: Deadlines;
  readonly #random: Random;
  readonly #alwaysCounts: boolean;
  readonly #waiting: Expiry;
  #limit: DeliveryLimit | undefined;
  #retry: RetrySettings | undefined;

  constructor({ deadlines, random, stride, alwaysCounts, waited }: ReturnedMessagesPorts) {
    this.#deadlines = deadlines;
    this.#random = random;
    this.#alwaysCounts = alwaysCounts;
    this.#waiting = new Expiry(deadlines, stride, (position) => {
      this.#waiting.removed(position);
      waited(position);
      return true;
    });
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  waitingPositions(): number[] {
    return this.#waiting.positions();
  }

  isWaiting(position: number): boolean {
    return this.#waiting.has(position);
  }

  /** Changes the rules. What waits does so for as long as it was to. */
  apply({ deliveryLimit, retry }: QueueSettings): void {
    this.#retry = retry;
    if (deliveryLimit === undefined && retry === undefined && !this.#alwaysCounts) {
      this.#limit = undefined;
      return;
    }
    this.#limit = (this.#limit ?? new DeliveryLimit(undefined)).withLimit(deliveryLimit);
  }

  /** The broker has started with a message that has come back so often. */
  restore(position: number, returns: number): void {
    // A policy that limits them may come yet.
    this.#limit ??= new DeliveryLimit(undefined);
    this.#limit.restore(position, returns);
  }

  /** A message waits for so many milliseconds. */
  wait(position: number, milliseconds: number): void {
    this.#waiting.add(position, this.#deadlines.now() + milliseconds);
  }

  /** A message as it is delivered: if it has come back, it says how often. */
  withCount(position: number, message: Message): Message {
    const count = this.#count(position);
    return count === 0 ? message : withDeliveryCount(message, count);
  }

  /** Counts that a message has come back; false if that was once too often. */
  comesBack(position: number): boolean {
    return this.#limit?.returned(position) !== false;
  }

  /** Whether a message that is rejected is tried again. */
  get retriesRejected(): boolean {
    return this.#retry?.on.includes('rejected') === true;
  }

  /**
   * A message has come back, not once too often: it waits from now on if it is to be tried later.
   * Returns what is to be known of it after a start, if anything.
   */
  keep(position: number, how: ComingBack): Returned | undefined {
    const returns = this.#count(position);
    const retry = this.#retry;
    const delay = retry === undefined ? 0 : retryDelay(retry, how, returns, this.#random);
    if (delay > 0) this.wait(position, delay);
    if (this.#limit === undefined) return undefined;
    return { returns, retryAt: delay > 0 ? this.#deadlines.wallTime() + delay : 0 };
  }

  /** A message has gone. */
  removed(position: number): void {
    this.#waiting.removed(position);
    this.#limit?.removed(position);
  }

  clear(): void {
    this.#waiting.clear();
    this.#limit?.clear();
  }

  /** How often a message has come back, where that is counted. */
  #count(position: number): number {
    return this.#limit?.count(position) ?? 0;
  }
}

function withDeliveryCount(message: Message, count: number): Message {
  const properties = message.properties();
  const headers = new Map<string, FieldValue>(properties.headers);
  headers.set('x-delivery-count', { type: 'l', value: BigInt(count) });
  return message.withProperties({ ...properties, headers });
}
