import type { FieldTable } from '@leveret/amqp';
import type { Message } from '../message.js';
import type { Queue } from '../queue/queue.js';
import type { Exchange } from './exchange.js';
import type { BindingVerdict } from './verdict.js';

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
  /**
   * Whether the routing key alone decides, so that results may be remembered by it. Otherwise
   * {@link route} is called once for a message, however many routing keys it has.
   */
  readonly byRoutingKey: boolean;
  /** Throws a Refusal if the type can do nothing with such a binding. */
  check(args: FieldTable, routingKey: string): void;
  add(binding: Binding): void;
  remove(binding: Binding): void;
  /** Adds every destination that the message has to go to; adding one twice is harmless. */
  route(routingKey: string, message: Message, into: Set<Destination>): void;
  /**
   * Says binding by binding whether {@link route} would take the message there, and why. It changes
   * nothing: nobody can tell that it was asked.
   */
  explain(bindings: Iterable<Binding>, routingKey: string, message: Message): BindingVerdict[];
  /**
   * The queues a routing key leads to, of a type that can tell at once and leads to nothing else.
   * It is not asked for {@link route} then, unless a message has several routing keys.
   */
  queuesFor?(routingKey: string): readonly Queue[];
  /** Messages that what is newly bound gets, oldest first. */
  history?(): readonly Message[];
  /** The exchange is gone: lets go of what was kept. */
  end?(): void;
}
