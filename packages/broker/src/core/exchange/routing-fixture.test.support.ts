import type { BasicProperties, FieldTable } from '@leveret/amqp';
import type { Random } from '../../base/random.js';
import { MemoryStore } from '../../store/memory-store.js';
import { PlainMessage } from '../plain-message.test.support.js';
import { Queue } from '../queue/queue.js';
import { Exchange } from './exchange.js';
import type { Binding, Destination, Router } from './router.js';

const NO_ARGUMENTS: FieldTable = new Map();

/** A queue that is there to be bound. */
export function someQueue(name: string): Queue {
  const own = { durable: false, autoDelete: false, owner: undefined, maxPriority: 0 };
  const spec = { ...own, name, arguments: NO_ARGUMENTS };
  return new Queue(spec, { queueUnused: () => {} }, () => new MemoryStore());
}

/** An exchange around a router. */
export function someExchange(name: string, router: Router): Exchange {
  const own = { durable: false, autoDelete: false, internal: false, type: 'any' };
  return new Exchange({ ...own, name, arguments: NO_ARGUMENTS }, router);
}

/** A binding added to a router without an exchange's checks. */
export function bindTo(router: Router, destination: Destination, routingKey = ''): Binding {
  const source = someExchange('source', router);
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
  const message = new PlainMessage(routingKey, properties);
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
