import type { Deadlines } from '../../base/deadlines.js';
import type { Exchange } from '../exchange/exchange.js';
import type { Message } from '../message.js';
import type { Persistence } from '../persistence.js';
import type { Receiver } from '../ports.js';
import type { TopologyChange } from '../topology.js';
import { checkDelay, delayOf } from './delay-headers.js';
import { DelayedMessages } from './delayed-messages.js';

/** What the delays of a virtual host need of it. */
export interface DelaysPorts {
  readonly deadlines: Deadlines;
  readonly persistence: Persistence;
  /** Gives a message that is due to the queues it goes to, however full they are. */
  deliver(exchange: Exchange, message: Message): void;
}

/** The delayed messages of an exchange, and the number they are kept under. */
export interface Holder {
  readonly exchange: Exchange;
  readonly number: number;
  readonly messages: DelayedMessages;
}

/**
 * The exchanges of a virtual host that have delayed messages. An exchange gets a place for them
 * with the first: one that could delay and never does costs nothing.
 */
export class Delays {
  readonly #vhost: string;
  readonly #ports: DelaysPorts;
  readonly #holders = new Map<Exchange, Holder>();

  constructor(vhost: string, ports: DelaysPorts) {
    this.#vhost = vhost;
    this.#ports = ports;
  }

  /** Makes sure that a publisher's message asks for nothing impossible. Throws a Refusal. */
  check(message: Message): void {
    checkDelay(message.headers(), this.#ports.deadlines.wallTime());
  }

  /** Whether a message asks for a delay. */
  isDelayed(message: Message): boolean {
    return delayOf(message.headers(), this.#ports.deadlines.wallTime()) > 0;
  }

  /** Whatever holds a message back that an exchange has to delay; undefined if it need not. */
  holderOf(exchange: Exchange, message: Message): Receiver | undefined {
    if (!this.isDelayed(message)) return undefined;
    const holder = this.#holders.get(exchange);
    if (holder !== undefined) return holder.messages;
    const { messages } = this.#add(exchange, this.#ports.persistence.newQueueNumber());
    messages.begin();
    return messages;
  }

  /** The delayed messages of an exchange that has had any. */
  of(exchange: Exchange): DelayedMessages | undefined {
    return this.#holders.get(exchange)?.messages;
  }

  all(): Iterable<Holder> {
    return this.#holders.values();
  }

  /** Puts back what an exchange had delayed before the broker started; see {@link begin}. */
  restore(exchange: Exchange, number: number): void {
    if (!this.#holders.has(exchange)) this.#add(exchange, number);
  }

  /** Everything has been put back: what is due goes. */
  begin(): void {
    for (const { messages } of this.all()) messages.begin();
  }

  /** An exchange is gone, and with it what it has delayed. */
  drop(exchange: Exchange): void {
    const holder = this.#holders.get(exchange);
    if (holder === undefined) return;
    this.#holders.delete(exchange);
    const { number } = holder;
    const vhost = this.#vhost;
    const change: TopologyChange = { what: 'delays-deleted', vhost, number };
    if (exchange.spec.durable) this.#ports.persistence.record(change);
    holder.messages.end();
  }

  /** The changes that make what survives of this what it is. */
  *topology(): Generator<TopologyChange> {
    for (const [exchange, { number }] of this.#holders) {
      if (exchange.spec.durable) yield this.#change(exchange, number);
    }
  }

  #add(exchange: Exchange, number: number): Holder {
    const { deadlines, persistence, deliver } = this.#ports;
    const { name, durable } = exchange.spec;
    const messages = new DelayedMessages(`amq.delayed.${name}`, {
      deadlines,
      store: persistence.storesFor(number, durable).open(0),
      // Nobody could be told that a queue is full: what was confirmed is not lost for that.
      release: (message) => deliver(exchange, message),
    });
    const holder = { exchange, number, messages };
    this.#holders.set(exchange, holder);
    if (durable) persistence.record(this.#change(exchange, number));
    return holder;
  }

  #change(exchange: Exchange, number: number): TopologyChange {
    return { what: 'delays', vhost: this.#vhost, exchange: exchange.name, number };
  }
}
