import type { Message } from '../../message.js';
import { BindingRow } from '../binding-row.js';
import type { Binding, Destination, Router } from '../router.js';
import { type BindingVerdict, choice, explainEach } from '../verdict.js';
import { hashString } from './string-hash.js';

/**
 * The type `x-modulus-hash` of RabbitMQ's sharding plugin: the message goes by one of the bindings,
 * the one whose number is the hash of its routing keys modulo the number of bindings. Binding keys
 * mean nothing. When a binding comes or goes nearly every key moves: see `x-consistent-hash`.
 */
export class ModulusHashRouter implements Router {
  readonly byRoutingKey = true;
  readonly #bindings = new BindingRow();

  check(): void {}

  add(binding: Binding): void {
    this.#bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.#bindings.remove(binding);
  }

  /** All the message's keys together make the hash: it goes one way, CC and BCC or not. */
  route(_routingKey: string, message: Message, into: Set<Destination>): void {
    const chosen = this.#choose(message);
    if (chosen !== undefined) into.add(chosen.destination);
  }

  explain(bindings: Iterable<Binding>, _routingKey: string, message: Message): BindingVerdict[] {
    const chosen = this.#choose(message);
    const by = `the hash of the routing key modulo ${this.#bindings.length}`;
    return explainEach(bindings, (binding) => choice(binding === chosen, by));
  }

  #choose({ routingKey, extraRoutingKeys }: Message): Binding | undefined {
    if (this.#bindings.length === 0) return undefined;
    const keys = extraRoutingKeys ? [routingKey, ...extraRoutingKeys].join('\0') : routingKey;
    return this.#bindings.at(hashString(keys) % this.#bindings.length);
  }
}
