import type { Consumer } from '../consumer.js';
import type { TopologyQuotas } from '../quotas/topology-quotas.js';
import { nameOf, Refusal } from '../refusal.js';
import type { ConsumerOrder } from './consumer-order.js';
import { ConsumerRing } from './consumer-ring.js';
import { SingleActive } from './single-active.js';

/** The consumers of a queue, and who of them is given the next message. */
export class Consumers {
  readonly order: ConsumerOrder;
  readonly #singleActive: SingleActive | undefined;
  readonly #all = new Set<Consumer>();
  readonly #quotas: TopologyQuotas;

  constructor(isSingleActive: boolean, quotas: TopologyQuotas) {
    this.#quotas = quotas;
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

  /** Throws a Refusal if it or one that is there wants to be alone, or there are too many. */
  add(consumer: Consumer, vhost: string): void {
    const { queue, spec } = consumer;
    // An exclusive consumer is the only one, and so the first.
    const [first] = this.#all;
    const isTaken = first?.spec.exclusive === true;
    const wantsAlone = spec.exclusive;
    if (isTaken || (wantsAlone && (this.size > 0 || this.isSingleActive))) {
      const thing = nameOf('queue', queue.name, vhost);
      throw new Refusal('access-refused', `${thing} in exclusive use`);
    }
    this.#quotas.checkConsumer(queue.name, vhost, spec.arguments);
    this.#quotas.added('consumer', spec.arguments);
    this.#all.add(consumer);
    this.order.add(consumer);
  }

  /** False if it was not there. */
  remove(consumer: Consumer): boolean {
    if (!this.#all.delete(consumer)) return false;
    this.order.remove(consumer);
    this.#quotas.removed('consumer', consumer.spec.arguments);
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
