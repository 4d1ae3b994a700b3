import type { Consumer } from '../consumer.js';
import type { ConsumerOrder } from './consumer-order.js';

/**
 * One consumer gets everything while it is there, however little it takes: the argument
 * `x-single-active-consumer`. When it goes, the next is the one with the highest priority, and of
 * these the one that has waited longest. A consumer that comes later never drives out the active
 * one, whatever its priority.
 */
export class SingleActive implements ConsumerOrder {
  /** Those of each priority, in order of registration; the highest priority first. */
  readonly #levels: { readonly priority: number; readonly consumers: Set<Consumer> }[] = [];
  #active: Consumer | undefined;

  /** The consumer that gets the messages. */
  get active(): Consumer | undefined {
    return this.#active;
  }

  add(consumer: Consumer): void {
    const { priority } = consumer.spec;
    const found = this.#levels.findIndex((level) => level.priority <= priority);
    const at = found < 0 ? this.#levels.length : found;
    if (this.#levels[at]?.priority === priority) this.#levels[at].consumers.add(consumer);
    else this.#levels.splice(at, 0, { priority, consumers: new Set([consumer]) });
    this.#active ??= consumer;
  }

  resume(consumer: Consumer): void {
    consumer.parked = false;
  }

  remove(consumer: Consumer): void {
    const at = this.#levels.findIndex(({ priority }) => priority === consumer.spec.priority);
    const consumers = this.#levels[at]?.consumers;
    consumers?.delete(consumer);
    if (consumers?.size === 0) this.#levels.splice(at, 1);
    if (consumer !== this.#active) return;
    const [next] = this.#levels[0]?.consumers ?? [];
    this.#active = next;
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
