import type { Consumer } from '../consumer.js';
import type { ConsumerOrder } from './consumer-order.js';

/**
 * One consumer gets everything while it is there, however little it takes: the argument
 * `x-single-active-consumer`. When it goes, the next is the one with the highest priority, and of
 * these the one that has waited longest. A consumer that comes later never drives out the active
 * one, whatever its priority.
 */
export class SingleActive implements ConsumerOrder {
  /** In order of registration. */
  readonly #consumers = new Set<Consumer>();
  #active: Consumer | undefined;

  /** The consumer that gets the messages. */
  get active(): Consumer | undefined {
    return this.#active;
  }

  add(consumer: Consumer): void {
    this.#consumers.add(consumer);
    this.#active ??= consumer;
  }

  resume(consumer: Consumer): void {
    consumer.parked = false;
  }

  remove(consumer: Consumer): void {
    this.#consumers.delete(consumer);
    if (consumer !== this.#active) return;
    this.#active = undefined;
    for (const each of this.#consumers) {
      if (each.spec.priority > (this.#active?.spec.priority ?? Number.NEGATIVE_INFINITY)) {
        this.#active = each;
      }
    }
  }

  peek(): Consumer | undefined {
    const active = this.#active;
    if (active === undefined || active.parked) return undefined;
    if (active.canTake()) return active;
    active.parked = true;
    return undefined;
  }

  advance(): void {}

  takers(): number {
    return this.#active?.room() ?? 0;
  }
}
