import { ModelQueue } from './model.js';

/** The routing keys in use; a key that is a queue's name reaches it by the default exchange. */
export const KEYS: readonly string[] = ['a', 'b.c', 'd'];

/** Exchanges that may be there, by name, and their types. */
export const EXCHANGES: readonly (readonly [name: string, type: string])[] = [
  ['fan', 'fanout'],
  ['direct', 'direct'],
  ['topic', 'topic'],
];

/** Queues that may be there, and their highest priority. */
export const QUEUES: readonly (readonly [name: string, maxPriority: number])[] = [
  ['q0', 0],
  ['q1', 0],
  ['q2', 0],
  ['urgent', 3],
  ['grouped', 0],
];

/** The queue that has groups, and what they go by. */
export const GROUPED = 'grouped';
export const GROUP_BY = 'property:correlation-id';

interface ModelBinding {
  readonly exchange: string;
  readonly queue: string;
  readonly key: string;
}

/** A change that was asked for and not answered: the broker may start with it or without. */
export interface PendingChange {
  /** The method that asked for it. */
  readonly what: string;
  /** The queue or exchange that it is about. */
  readonly name: string;
  readonly apply: () => void;
}

/** Exchanges, queues and bindings as they have to be. */
export class TopologyModel {
  readonly queues: Map<string, ModelQueue> = new Map();
  readonly exchanges: Set<string> = new Set();
  #bindings: ModelBinding[] = [];
  pending: PendingChange | undefined;

  declareQueue(name: string): ModelQueue {
    const maxPriority = QUEUES.find(([each]) => each === name)?.[1] ?? 0;
    const queue = new ModelQueue(name, maxPriority, name === GROUPED);
    this.queues.set(name, queue);
    return queue;
  }

  deleteQueue(name: string): void {
    this.queues.delete(name);
    this.#bindings = this.#bindings.filter(({ queue }) => queue !== name);
  }

  deleteExchange(name: string): void {
    this.exchanges.delete(name);
    this.#bindings = this.#bindings.filter(({ exchange }) => exchange !== name);
  }

  bind(exchange: string, queue: string, key: string): void {
    this.unbind(exchange, queue, key);
    this.#bindings.push({ exchange, queue, key });
  }

  unbind(exchange: string, queue: string, key: string): void {
    this.#bindings = this.#bindings.filter(
      (each) => each.exchange !== exchange || each.queue !== queue || each.key !== key,
    );
  }

  /** The queues that a message gets to. */
  route(exchange: string, key: string): ModelQueue[] {
    if (exchange === '') {
      const queue = this.queues.get(key);
      return queue === undefined ? [] : [queue];
    }
    if (!this.exchanges.has(exchange)) return [];
    const type = EXCHANGES.find(([name]) => name === exchange)?.[1];
    const names = this.#bindings
      .filter((each) => each.exchange === exchange && (type === 'fanout' || each.key === key))
      .map(({ queue }) => queue);
    return [...new Set(names)].map((name) => this.queues.get(name)!);
  }

  /** What can be seen of it from outside: which queues each key reaches through each exchange. */
  describe(): string {
    const lines = [...this.queues.keys()].sort(byText).map((name) => `queue ${name}`);
    for (const [name] of EXCHANGES) {
      if (!this.exchanges.has(name)) continue;
      lines.push(`exchange ${name}`);
      for (const key of KEYS) {
        const to = this.route(name, key).map((queue) => queue.name);
        lines.push(`${name} ${key} -> ${to.sort(byText).join(' ')}`);
      }
    }
    return lines.join('\n');
  }
}

/** Order of names. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
