import type { FieldTable } from '@leveret/amqp';
import { formatFieldTerm } from '../erlang-term.js';
import type { Message } from '../message.js';
import { integerArgument } from '../queue/arguments.js';
import { Refusal } from '../refusal.js';
import { DestinationCount } from './destination-count.js';
import type { Binding, Destination, Router } from './router.js';
import { type BindingVerdict, explainEach, takesAll } from './verdict.js';

/** How many messages are kept when the argument does not say, as in RabbitMQ. */
const LENGTH_DEFAULT = 20;

const LENGTH_ARGUMENT = 'x-recent-history-length';

/**
 * The type `x-recent-history` of RabbitMQ's plugin: a fanout that keeps the last messages, and
 * gives them to what is bound to it later. `x-recent-history-length` says how many, 20 by default;
 * a message with the header `x-recent-history-no-store` set to true passes without being kept. They
 * are kept in memory, and gone after a restart.
 */
export class RecentHistoryRouter implements Router {
  readonly byRoutingKey = false;
  readonly #length: number;
  readonly #destinations = new DestinationCount();
  /** Oldest first. */
  readonly #history: Message[] = [];

  constructor(args: FieldTable) {
    const argument = args.get(LENGTH_ARGUMENT);
    const length = argument ? integerArgument(args, LENGTH_ARGUMENT) : LENGTH_DEFAULT;
    if (argument !== undefined && (length === undefined || length < 1)) {
      const text =
        `Invalid argument ${formatFieldTerm(argument)}, ` +
        `'${LENGTH_ARGUMENT}' must be a positive integer`;
      throw new Refusal('precondition-failed', text);
    }
    this.#length = length ?? LENGTH_DEFAULT;
  }

  check(): void {}

  add(binding: Binding): void {
    this.#destinations.add(binding.destination);
  }

  remove(binding: Binding): void {
    this.#destinations.remove(binding.destination);
  }

  route(_routingKey: string, message: Message, into: Set<Destination>): void {
    this.#destinations.addAllTo(into);
    const noStore = message.headers().get('x-recent-history-no-store');
    if (noStore?.type === 't' && noStore.value) return;
    const kept = message.keep();
    kept.retain();
    this.#history.push(kept);
    if (this.#history.length > this.#length) this.#history.shift()?.release();
  }

  explain(bindings: Iterable<Binding>): BindingVerdict[] {
    return explainEach(bindings, takesAll);
  }

  history(): readonly Message[] {
    return this.#history;
  }

  end(): void {
    for (const message of this.#history.splice(0)) message.release();
  }
}
