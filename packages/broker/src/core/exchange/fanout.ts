import type { Message } from '../message.js';
import { DestinationCount } from './destination-count.js';
import type { Binding, Destination, Router } from './router.js';
import { type BindingVerdict, explainEach, takesAll } from './verdict.js';

/** Routes to everything that is bound, whatever the routing key (0-9-1 §3.1.3.2). */
export class FanoutRouter implements Router {
  readonly byRoutingKey = true;
  readonly #destinations = new DestinationCount();

  check(): void {}

  add(binding: Binding): void {
    this.#destinations.add(binding.destination);
  }

  remove(binding: Binding): void {
    this.#destinations.remove(binding.destination);
  }

  route(_routingKey: string, _message: Message, into: Set<Destination>): void {
    this.#destinations.addAllTo(into);
  }

  explain(bindings: Iterable<Binding>): BindingVerdict[] {
    return explainEach(bindings, takesAll);
  }
}
