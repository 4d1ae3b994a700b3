import type { FieldTable } from '@leveret/amqp';
import type { Message } from '../message.js';
import type { Queue } from '../queue/queue.js';
import type { Exchange } from './exchange.js';

/** What an exchange can pass a message on to. */
export type Destination = Queue | Exchange;

/** Says that messages matching `routingKey` or `arguments` go from `source` to `destination`. */
export interface Binding {
  readonly source: Exchange;
  readonly destination: Destination;
  /** The binding key; what it means is the exchange type's business. */
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

/**
 * The routing algorithm of an exchange type. One instance serves one exchange and holds its
 * bindings in whatever form finds destinations quickly. The same contract test runs on each type
 * (`router.contract.ts`).
 */
export interface Router {
  /** Whether the routing key alone decides, so that results may be remembered by it. */
  readonly byRoutingKey: boolean;
  /** Throws a Refusal if the type can do nothing with such arguments. */
  check(args: FieldTable): void;
  add(binding: Binding): void;
  remove(binding: Binding): void;
  /** Adds every destination that the message has to go to; adding one twice is harmless. */
  route(routingKey: string, message: Message, into: Set<Destination>): void;
}
