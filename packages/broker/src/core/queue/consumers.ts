import type { Consumer } from '../consumer.js';
import { Refusal } from '../refusal.js';
import type { ConsumerOrder } from './consumer-order.js';
import { ConsumerRing } from './consumer-ring.js';
import { SingleActive } from './single-active.js';

/** The consumers of a queue, and who of them is given the next message. */
export class Consumers {
  readonly order: ConsumerOrder;
  readonly #singleActive: SingleActive | undefined;
  readonly #all = new Set<Consumer>();

  constructor(isSingleActive: boolean) {
    this.#singleActive = isSingleActive ? new SingleActive() : undefined;
    this.order = this.#singleActive ?? new ConsumerRing();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Whether only one of them gets messages: the argument `x-single-active-consumer`. */
  get isSingleActive(): boolean {
    return this.#singleActive !== undefined;
  }

  /** The one that gets all messages, if only one does. */
  get active(): Consumer | undefined {
    return this.#singleActive?.active;
  }

  /** Throws a Refusal if it or one that is there wants to be alone; `thing` names the queue. */
  add(consumer: Consumer, thing: string): void {
    // An exclusive consumer is the only one, and so the first.
    const [first] = this.#all;
    const isTaken = first?.spec.exclusive === true;
    const wantsAlone = consumer.spec.exclusive;
    if (isTaken || (wantsAlone && (this.size > 0 || this.isSingleActive))) {
      throw new Refusal('access-refused', `${thing} in exclusive use`);
    }
    this.#all.add(consumer);
    this.order.add(consumer);
  }

  /** False if it was not there. */
  remove(consumer: Consumer): boolean {
    if (!this.#all.delete(consumer)) return false;
    this.order.remove(consumer);
    return true;
  }

  /** A consumer may have got credit again; false if it had not run out of it, or still has. */
  resume(consumer: Consumer): boolean {
    if (!consumer.parked || !this.#all.has(consumer) || !consumer.canTake()) return false;
    this.order.resume(consumer);
    return true;
  }

  /** Removes all of them, and returns them. */
  removeAll(): Consumer[] {
    const removed = [...this.#all];
    for (const consumer of removed) this.remove(consumer);
    return removed;
  }
}
