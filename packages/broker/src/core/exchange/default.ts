import type { Message } from '../message.js';
import type { Queue } from '../queue/queue.js';
import type { Destination, Router } from './router.js';
import { type BindingVerdict, sameKey } from './verdict.js';

/**
 * The default exchange's routing (0-9-1 §3.1.3.1): every queue is bound to it with its own name,
 * without a binding that could be seen or removed.
 */
export class DefaultRouter implements Router {
  readonly byRoutingKey = true;
  readonly #queues: ReadonlyMap<string, Queue>;

  constructor(queues: ReadonlyMap<string, Queue>) {
    this.#queues = queues;
  }

  queuesFor(routingKey: string): readonly Queue[] {
    return this.#queues.get(routingKey)?.alone ?? NONE;
  }

  check(): void {}

  add(): void {}

  remove(): void {}

  route(routingKey: string, _message: Message, into: Set<Destination>): void {
    const queue = this.#queues.get(routingKey);
    if (queue !== undefined) into.add(queue);
  }

  /** One verdict for each queue: each is bound with its name. */
  explain(_bindings: unknown, routingKey: string): BindingVerdict[] {
    return [...this.#queues.values()].map((destination) => ({
      ...sameKey('the queue', destination.name, routingKey),
      binding: undefined,
      destination,
    }));
  }
}

const NONE: readonly Queue[] = [];
