import type { FieldTable } from '@leveret/amqp';
import { formatBinary, formatFieldValue } from '../../erlang-term.js';
import type { Message } from '../../message.js';
import { Refusal } from '../../refusal.js';
import type { Binding, Destination, Router } from '../router.js';
import { type BindingVerdict, choice, explainEach } from '../verdict.js';
import { hashString, mix } from './string-hash.js';

/** What `hash-property` may name, and where that lies. */
const PROPERTIES = {
  message_id: (message: Message) => message.properties().messageId,
  correlation_id: (message: Message) => message.properties().correlationId,
  timestamp: (message: Message) => message.properties().timestamp?.toString(),
} as const;

/** A destination's part in the exchange: the first of its bindings decides. */
interface Share {
  readonly destination: Destination;
  /** Hash of its name. */
  readonly seed: number;
  readonly bindings: Set<Binding>;
  weight: number;
}

/**
 * The type `x-consistent-hash` of RabbitMQ's plugin: each message goes to one of the destinations,
 * the same for the same key as long as the bindings stay, and each destination gets messages in
 * proportion to its weight, the number that is its binding key. The key is the routing key, or the
 * header that the argument `hash-header` names (LavinMQ: `x-hash-on`), or the property that
 * `hash-property` names. A message without it has the empty key.
 *
 * Among the destinations the choice falls by rendezvous: each draws a lot from the key and its own
 * name, lots are scaled by weight, the highest wins. So a destination that goes gives its keys away
 * and no other key moves; one that comes takes from each its share. LavinMQ's `x-algorithm`, `ring`
 * or `jump`, is accepted and changes nothing: this keeps what either promises.
 */
export class ConsistentHashRouter implements Router {
  readonly byRoutingKey: boolean;
  readonly #keyOf: (message: Message) => string;
  readonly #shares = new Map<Destination, Share>();

  constructor(args: FieldTable) {
    const header = stringArgument(args, 'hash-header') ?? stringArgument(args, 'x-hash-on');
    const property = stringArgument(args, 'hash-property');
    const algorithm = stringArgument(args, 'x-algorithm') ?? 'ring';
    if (header !== undefined && property !== undefined) {
      throw refusal('hash-header and hash-property are mutually exclusive');
    }
    if (property !== undefined && !isProperty(property)) {
      throw refusal(`Unsupported property: ${property}`);
    }
    if (algorithm !== 'ring' && algorithm !== 'jump') {
      throw refusal(`Unsupported algorithm: ${algorithm}`);
    }
    this.byRoutingKey = header === undefined && property === undefined;
    if (header !== undefined) this.#keyOf = (message) => headerOf(message, header);
    else if (property !== undefined) this.#keyOf = (message) => PROPERTIES[property](message) ?? '';
    else this.#keyOf = (message) => message.routingKey;
  }

  check(_args: FieldTable, routingKey: string): void {
    if (!/^[+-]?[0-9]+$/.test(routingKey)) {
      throw refusal(`The binding key must be an integer: ${formatBinary(routingKey)}`);
    }
    if (Number(routingKey) < 1) throw refusal('The binding key must be greater than 0');
  }

  /** A destination that is bound already keeps its weight, as in RabbitMQ. */
  add(binding: Binding): void {
    const { destination } = binding;
    const share = this.#shares.get(destination);
    if (share !== undefined) {
      share.bindings.add(binding);
      return;
    }
    const seed = hashString(`${destination.kind} ${destination.name}`);
    const weight = Number(binding.routingKey);
    this.#shares.set(destination, { destination, seed, weight, bindings: new Set([binding]) });
  }

  remove(binding: Binding): void {
    const share = this.#shares.get(binding.destination);
    if (!share?.bindings.delete(binding)) return;
    const [first] = share.bindings;
    if (first === undefined) this.#shares.delete(binding.destination);
    else share.weight = Number(first.routingKey);
  }

  /** The message's own key decides, and not those in CC and BCC: it goes to one destination. */
  route(_routingKey: string, message: Message, into: Set<Destination>): void {
    const chosen = this.#choose(message);
    if (chosen !== undefined) into.add(chosen);
  }

  explain(bindings: Iterable<Binding>, _routingKey: string, message: Message): BindingVerdict[] {
    const chosen = this.#choose(message);
    const by = `the hash of '${this.#keyOf(message)}'`;
    return explainEach(bindings, ({ destination }) => choice(destination === chosen, by));
  }

  #choose(message: Message): Destination | undefined {
    if (this.#shares.size === 0) return undefined;
    const key = hashString(this.#keyOf(message));
    let chosen: Destination | undefined;
    let highest = -1;
    for (const { destination, seed, weight } of this.#shares.values()) {
      const lot = (mix(key ^ seed) + 0.5) / 0x1_0000_0000;
      const scaled = weight / -Math.log(lot);
      if (scaled <= highest) continue;
      highest = scaled;
      chosen = destination;
    }
    return chosen;
  }
}

function isProperty(name: string): name is keyof typeof PROPERTIES {
  return Object.hasOwn(PROPERTIES, name);
}

function headerOf(message: Message, name: string): string {
  const header = message.headers().get(name);
  return header === undefined ? '' : formatFieldValue(header);
}

function stringArgument(args: FieldTable, key: string): string | undefined {
  const value = args.get(key);
  if (value === undefined || value.type === 'S') return value?.value;
  throw refusal(`Invalid argument ${formatFieldValue(value)}, '${key}' must be a string`);
}

function refusal(text: string): Refusal {
  return new Refusal('precondition-failed', text);
}
