import type { Message } from '../message.js';
import { DestinationCount } from './destination-count.js';
import type { Binding, Destination, Router } from './router.js';
import { type BindingVerdict, explainEach, sameKey } from './verdict.js';

/** Routes to the destinations bound with exactly the message's routing key (0-9-1 §3.1.3.1). */
export class DirectRouter implements Router {
  readonly byRoutingKey = true;
  readonly #byKey = new Map<string, DestinationCount>();

  check(): void {}

  add(binding: Binding): void {
    let destinations = this.#byKey.get(binding.routingKey);
    if (destinations === undefined) {
      destinations = new DestinationCount();
      this.#byKey.set(binding.routingKey, destinations);
    }
    destinations.add(binding.destination);
  }

  remove(binding: Binding): void {
    const destinations = this.#byKey.get(binding.routingKey);
    destinations?.remove(binding.destination);
    if (destinations?.isEmpty) this.#byKey.delete(binding.routingKey);
  }

  route(routingKey: string, _message: Message, into: Set<Destination>): void {
    this.#byKey.get(routingKey)?.addAllTo(into);
  }

  explain(bindings: Iterable<Binding>, routingKey: string): BindingVerdict[] {
    return explainEach(bindings, (binding) =>
      sameKey('the binding key', binding.routingKey, routingKey),
    );
  }
}
