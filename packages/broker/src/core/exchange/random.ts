import type { Random } from '../../base/random.js';
import type { Message } from '../message.js';
import { BindingRow } from './binding-row.js';
import type { Binding, Destination, Router } from './router.js';
import { type BindingVerdict, explainEach, takesAll } from './verdict.js';

/**
 * The type `x-random` of RabbitMQ's plugin: each message goes by one of the bindings, whichever.
 * Binding keys mean nothing; a queue that is bound twice is chosen twice as often.
 */
export class RandomRouter implements Router {
  readonly byRoutingKey = false;
  readonly #random: Random;
  readonly #bindings = new BindingRow();

  constructor(random: Random) {
    this.#random = random;
  }

  check(): void {}

  add(binding: Binding): void {
    this.#bindings.add(binding);
  }

  remove(binding: Binding): void {
    this.#bindings.remove(binding);
  }

  route(_routingKey: string, _message: Message, into: Set<Destination>): void {
    const { length } = this.#bindings;
    if (length === 0) return;
    const index = length === 1 ? 0 : this.#random.bytes(4).readUInt32LE() % length;
    into.add(this.#bindings.at(index)!.destination);
  }

  explain(bindings: Iterable<Binding>): BindingVerdict[] {
    const { length } = this.#bindings;
    const why = `one of ${length} is chosen by chance`;
    return explainEach(bindings, () =>
      length === 1 ? takesAll() : { matches: 'by chance', why, parts: [], nearness: 1 / length },
    );
  }
}
