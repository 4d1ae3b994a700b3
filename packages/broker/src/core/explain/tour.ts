import type { ExchangeDeduplication } from '../deduplication/exchange-deduplication.js';
import type { Delays } from '../delay/delays.js';
import type { Exchange } from '../exchange/exchange.js';
import type { BindingVerdict } from '../exchange/verdict.js';
import type { Message } from '../message.js';
import type { Queue } from '../queue/queue.js';
import { type Ask, type RoutingPorts, walk } from '../routing.js';

/** What was seen at an exchange. */
export interface Sight {
  readonly exchange: Exchange;
  /** Where the message came from; undefined where it was published. */
  readonly from: { readonly exchange: Exchange; readonly as: 'binding' | 'alternate' } | undefined;
  /** Whether it stays there until it is due. */
  isDelayed: boolean;
  /** Whether it goes no further, being a duplicate. */
  isHeldBack: boolean;
  /** By routing key; empty if the bindings were not asked. */
  readonly verdicts: Map<string, readonly BindingVerdict[]>;
  /** Whether it goes to the alternate exchange. */
  usesAlternate: boolean;
}

/**
 * The way of a message through the exchanges, by the same walk that routes messages: only the
 * exchanges are asked for their reasons. Nothing comes of it: nothing is remembered or counted.
 */
export class Tour {
  readonly queues: readonly Queue[];
  readonly #sights = new Map<Exchange, Sight>();
  readonly #certain: ReadonlySet<Exchange | Queue>;
  /** Where the message is. */
  #here: Sight;

  constructor(
    start: Exchange,
    message: Message,
    { find, isDelayed }: Pick<RoutingPorts, 'find'> & Pick<Delays, 'isDelayed'>,
  ) {
    const { routingKey, extraRoutingKeys = [] } = message;
    this.#here = this.#see(start, undefined);
    const ports = {
      // Only alternate exchanges are looked for.
      find: (name: string) => this.#alternate(find(name)),
      passage: () => ({ passes: this.#passes }),
      // It goes on as if it were due.
      delay: (exchange: Exchange) => {
        this.#see(exchange, undefined).isDelayed = isDelayed(message);
        return undefined;
      },
    };
    const found = walk(start, [routingKey, ...extraRoutingKeys], message, ports, this.#ask);
    // Nothing else receives messages but what has just been said not to.
    this.queues = found.queues as readonly unknown[] as readonly Queue[];
    this.#certain = this.#certainFrom(start);
  }

  /** In the order they were come by. */
  get sights(): readonly Sight[] {
    return [...this.#sights.values()];
  }

  get isHeldBack(): boolean {
    return this.sights.some(({ isHeldBack }) => isHeldBack);
  }

  /** Whether a queue gets the message whatever is chosen by chance. */
  isCertain(queue: Queue): boolean {
    return this.#certain.has(queue);
  }

  #see(exchange: Exchange, from: Sight['from']): Sight {
    let sight = this.#sights.get(exchange);
    if (sight === undefined) {
      const verdicts = new Map<string, readonly BindingVerdict[]>();
      const nothing = { isDelayed: false, isHeldBack: false, usesAlternate: false };
      sight = { exchange, from, verdicts, ...nothing };
      this.#sights.set(exchange, sight);
    }
    return sight;
  }

  #alternate(found: Exchange | undefined): Exchange | undefined {
    if (found === undefined) return undefined;
    this.#here.usesAlternate = true;
    this.#see(found, { exchange: this.#here.exchange, as: 'alternate' });
    return found;
  }

  readonly #passes = (by: ExchangeDeduplication, message: Message): boolean => {
    const key = by.keyOf(message);
    if (key === undefined || !by.isDuplicate(key)) return true;
    this.#here = this.sights.find(({ exchange }) => exchange.deduplication === by)!;
    this.#here.isHeldBack = true;
    return false;
  };

  readonly #ask: Ask = (exchange, routingKeys, message, into) => {
    const { router } = exchange;
    this.#here = this.#see(exchange, undefined);
    const { verdicts } = this.#here;
    const keys = router.byRoutingKey ? routingKeys : [message.routingKey];
    for (const key of keys) {
      const each = router.explain(exchange.bindings(), key, message);
      verdicts.set(key, each);
      for (const { matches, destination } of each) {
        if (matches === false) continue;
        into.add(destination);
        if (destination.kind === 'exchange') this.#see(destination, { exchange, as: 'binding' });
      }
    }
  };

  /** What the message reaches without any choice by chance. */
  #certainFrom(start: Exchange): Set<Exchange | Queue> {
    const certain = new Set<Exchange | Queue>([start]);
    for (const here of certain) {
      const sight = here.kind === 'exchange' ? this.#sights.get(here) : undefined;
      if (sight === undefined) continue;
      for (const { matches, destination } of [...sight.verdicts.values()].flat()) {
        if (matches === true) certain.add(destination);
      }
      for (const { exchange, from } of this.#sights.values()) {
        if (from?.as === 'alternate' && from.exchange === here) certain.add(exchange);
      }
    }
    return certain;
  }
}
