import type { FieldTable } from '@leveret/amqp';
import type { Message } from '../message.js';

/** How many are remembered. */
const ENTRIES_MAX = 100;
/** Headers of larger messages are not, in octets without the body. */
const MESSAGE_BYTES_MAX = 4_096;

/** A message that reached no queue; the same exchange and key are remembered once. */
export interface Unroutable {
  readonly exchange: string;
  readonly routingKey: string;
  readonly extraRoutingKeys: readonly string[] | undefined;
  /** Of the first one; undefined if they were large. */
  readonly headers: FieldTable | undefined;
  /** Of the last one, in milliseconds since 1970. */
  lastAt: number;
  count: number;
}

/** The messages of late that reached no queue: the last hundred exchanges and keys. */
export class Unroutables {
  /** In order of the last time, the oldest first. */
  readonly #entries = new Map<string, Unroutable>();
  readonly #wallTime: () => number;

  constructor(wallTime: () => number) {
    this.#wallTime = wallTime;
  }

  /** A message has reached no queue. It may be borrowed. */
  note(message: Message): void {
    const { exchange, routingKey, extraRoutingKeys } = message;
    const id = `${exchange}\0${routingKey}`;
    const known = this.#entries.get(id);
    if (known !== undefined) {
      known.count++;
      known.lastAt = this.#wallTime();
      // It is the latest now.
      this.#entries.delete(id);
      this.#entries.set(id, known);
      return;
    }
    const [oldest] = this.#entries.size < ENTRIES_MAX ? [] : this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
    const isSmall = message.storedBytes - message.bodyBytes <= MESSAGE_BYTES_MAX;
    const headers = isSmall ? message.headers() : undefined;
    const lastAt = this.#wallTime();
    this.#entries.set(id, { exchange, routingKey, extraRoutingKeys, headers, lastAt, count: 1 });
  }

  /** The latest first. */
  list(): readonly Unroutable[] {
    return [...this.#entries.values()].reverse();
  }
}
