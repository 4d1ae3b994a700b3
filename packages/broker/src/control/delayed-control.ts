import { fromFieldTable, fromWire, toWire } from '@leveret/amqp';
import type { Holder } from '../core/delay/delays.js';
import { type DelayedEntry, firstDue } from '../core/delay/due-order.js';
import type { VirtualHost } from '../core/virtual-host.js';

/** How many messages a page has unless it is said otherwise, and at most. */
const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;

/** A message that waits until it is due. */
export interface DelayedMessage {
  /** Names it for as long as it waits, after a restart too. */
  readonly id: string;
  readonly dueAt: Date;
  /** The exchange that will route it. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
  /** As client libraries have them: text, numbers, booleans, objects. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bodyBytes: number;
}

/** Which delayed messages to list. */
export interface DelayedQuery {
  /** Those of this exchange alone. */
  readonly exchange?: string;
  /** How many at most: 1 to 1,000; default 100. */
  readonly limit?: number;
  /** Those that come after this one: the last of the page before. */
  readonly after?: Pick<DelayedMessage, 'id' | 'dueAt'>;
}

/** The delayed messages of a virtual host. */
export interface DelayedControl {
  /** How many wait, at an exchange or in all. Throws a Refusal if there is no such exchange. */
  count(exchange?: string): number;
  /**
   * Those that wait, in the order in which they fall due. Rejects with a Refusal if there is no
   * such exchange, with a RangeError if the limit or the message to go on from is none.
   */
  list(query?: DelayedQuery): Promise<readonly DelayedMessage[]>;
  /** Drops a message; false if it does not wait any more. */
  cancel(id: string): boolean;
  /** Delivers a message now; false if it does not wait any more. */
  fire(id: string): Promise<boolean>;
}

/** The delayed messages of a virtual host, in text. */
export class TextDelays implements DelayedControl {
  readonly #vhost: VirtualHost;

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost;
  }

  count(exchange?: string): number {
    let count = 0;
    for (const { messages } of this.#holders(exchange)) count += messages.count;
    return count;
  }

  async list(query: DelayedQuery = {}): Promise<readonly DelayedMessage[]> {
    const { exchange, limit = LIMIT_DEFAULT, after } = query;
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      throw new RangeError(`limit ${limit} is not between 1 and ${LIMIT_MAX}`);
    }
    const from = after && entryOf(after.id, after.dueAt.getTime());
    if (after !== undefined && from === undefined) throw new RangeError(`no id '${after.id}'`);
    const entries = firstDue(this.#holders(exchange), limit, from);
    const holders = new Set(entries.map((entry) => this.#holder(entry)));
    await Promise.all([...holders].map((holder) => whenRead(holder, entries)));
    const messages = entries.map((entry) => describe(entry, this.#holder(entry)));
    return messages.filter((message) => message !== undefined);
  }

  cancel(id: string): boolean {
    const entry = entryOf(id);
    const holder = entry && this.#holder(entry);
    return holder?.messages.cancel(entry!.position) ?? false;
  }

  async fire(id: string): Promise<boolean> {
    const entry = entryOf(id);
    const holder = entry && this.#holder(entry);
    if (holder === undefined) return false;
    return await new Promise((resolve) => holder.messages.fire(entry!.position, resolve));
  }

  #holder({ number }: DelayedEntry): Holder | undefined {
    for (const holder of this.#vhost.delays.all()) if (holder.number === number) return holder;
    return undefined;
  }

  #holders(name: string | undefined): readonly Holder[] {
    const holders = [...this.#vhost.delays.all()];
    if (name === undefined) return holders;
    const exchange = this.#vhost.exchanges.require(toWire(name));
    return holders.filter((holder) => holder.exchange === exchange);
  }
}

function whenRead(holder: Holder | undefined, entries: readonly DelayedEntry[]): Promise<void> {
  const own = entries.filter(({ number }) => number === holder?.number);
  const positions = own.map(({ position }) => position);
  return new Promise((resolve) => {
    if (holder === undefined) resolve();
    else holder.messages.whenRead(positions, resolve);
  });
}

/** Undefined if it has gone meanwhile. */
function describe(entry: DelayedEntry, holder: Holder | undefined): DelayedMessage | undefined {
  const message = holder?.messages.read(entry.position);
  if (holder === undefined || message === undefined) return undefined;
  const { headers = new Map(), messageId } = message.properties();
  return {
    id: `${entry.number}-${entry.position}`,
    dueAt: new Date(entry.dueAt),
    exchange: fromWire(holder.exchange.name),
    routingKey: fromWire(message.routingKey),
    messageId: messageId && fromWire(messageId),
    headers: fromFieldTable(headers),
    bodyBytes: message.bodyBytes,
  };
}

/** What an id stands for; undefined if it is none. */
function entryOf(id: string, dueAt: number = 0): DelayedEntry | undefined {
  const [, number, position] = /^(\d+)-(\d+)$/.exec(id) ?? [];
  if (number === undefined || position === undefined) return undefined;
  return { dueAt, number: Number(number), position: Number(position) };
}
