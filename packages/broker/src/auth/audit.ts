import { fromWire } from '@leveret/amqp';
import type { Logger } from '../base/logger.js';
import { json, text } from '../core/events/event-headers.js';
import type { EventSink } from '../core/ports.js';

/** Stands for the broker itself where RabbitMQ names the user who did something. */
const BROKER = 'rmq-internal';

/** The particulars of what has been done: JSON whose strings are wire strings. */
export type Particulars = Readonly<Record<string, unknown>>;

/** Tells the log and the event exchange what is done to users, virtual hosts and permissions. */
export class Audit {
  readonly #events: EventSink;
  readonly #logger: Logger;

  constructor(events: EventSink, logger: Logger) {
    this.#events = events;
    this.#logger = logger;
  }

  /** `key` names the event as RabbitMQ does: `user.created`. Never tell it a password. */
  note(key: string, particulars: Particulars): void {
    const entries = Object.entries(particulars);
    const fields = entries.map(([name, value]) => [name, asText(value)] as const);
    this.#logger.info(key.replaceAll('.', ' '), Object.fromEntries(fields));
    if (!this.#events.isHeard) return;
    const headers = entries.map(([name, value]) => json(name, value));
    this.#events.emit(key, [...headers, text('user_who_performed_action', BROKER)]);
  }
}

function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  return typeof value === 'string' ? fromWire(value) : value;
}
