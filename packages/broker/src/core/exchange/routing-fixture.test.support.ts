import type { BasicProperties, FieldTable } from '@leveret/amqp';
import type { Random } from '../../base/random.js';
import { TestMessage } from '../message.test.support.js';
import { Exchange } from './exchange.js';
import type { Binding, Destination, Router } from './router.js';

const NO_ARGUMENTS: FieldTable = new Map();

/** A message with properties besides its headers. */
export class MessageWithProperties extends TestMessage {
  readonly #properties: BasicProperties;

  constructor(label: string, properties: BasicProperties) {
    super(label, properties.headers);
    this.#properties = properties;
  }

  override properties(): BasicProperties {
    return this.#properties;
  }
}

/** A destination to be bound. */
export function someDestination(name: string): Exchange {
  const own = { durable: false, autoDelete: false, internal: false, arguments: NO_ARGUMENTS };
  return new Exchange({ ...own, name, type: 'fanout' });
}

/** A binding added to a router without an exchange's checks. */
export function bindTo(router: Router, destination: Destination, routingKey: string = ''): Binding {
  const source = someDestination('source');
  const binding = { source, destination, routingKey, arguments: NO_ARGUMENTS };
  router.add(binding);
  return binding;
}

/** Names of the destinations a message reaches, in order of name. */
export function reached(
  router: Router,
  routingKey: string,
  properties: BasicProperties = {},
  extraRoutingKeys?: readonly string[],
): string[] {
  const message = new MessageWithProperties(routingKey, properties);
  message.routingKey = routingKey;
  message.extraRoutingKeys = extraRoutingKeys;
  const into = new Set<Destination>();
  for (const key of [routingKey, ...(extraRoutingKeys ?? [])]) router.route(key, message, into);
  return [...into].map(({ name }) => name).sort((a, b) => (a < b ? -1 : 1));
}

/** Randomness that says what it is told, again and again. */
export function repeating(numbers: readonly number[]): Random {
  let next = 0;
  return {
    bytes: (bytes) => {
      const buffer = Buffer.alloc(bytes);
      buffer.writeUInt32LE(numbers[next++ % numbers.length] ?? 0);
      return buffer;
    },
  };
}
