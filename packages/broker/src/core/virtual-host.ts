import type { FieldTable } from '@leveret/amqp';
import type { Clock } from '../base/clock.js';
import type { Deadlines } from '../base/deadlines.js';
import type { Random } from '../base/random.js';
import { DeadLetterOffice } from './dead-letter-office.js';
import type { Exchange } from './exchange/exchange.js';
import { checkNotDefault, Exchanges } from './exchanges.js';
import type { Message } from './message.js';
import type { Persistence } from './persistence.js';
import type { ConnectionIdentity } from './ports.js';
import { integerArgument } from './queue/arguments.js';
import type { Queue } from './queue/queue.js';
import { Queues } from './queues.js';
import { nameOf, Refusal, stripLineEnds } from './refusal.js';
import { ReplyAddresses } from './reply-addresses.js';
import { route } from './routing.js';
import {
  bindingChange,
  decodeArguments,
  exchangeChange,
  isDurable,
  queueChange,
  type TopologyChange,
} from './topology.js';

/** What a binding is asked for with. */
export interface BindingRequest {
  /** Name of the exchange that messages come from. */
  readonly source: string;
  /** Name of the queue or exchange they go to. */
  readonly destination: string;
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

/** What virtual hosts share with the rest of the broker. */
export interface VirtualHostPorts {
  readonly random: Random;
  readonly clock: Clock;
  /** Of the same clock. */
  readonly deadlines: Deadlines;
  readonly persistence: Persistence;
}

/** A world of its own: exchanges, queues and the bindings between them, under a name. */
export class VirtualHost {
  readonly name: string;
  readonly exchanges: Exchanges;
  readonly queues: Queues;
  readonly replies: ReplyAddresses;
  /** How often the topology has changed: what was remembered of routes at another count is void. */
  #topologyVersion = 0;

  constructor(name: string, ports: VirtualHostPorts) {
    this.name = name;
    const { random, clock, deadlines, persistence } = ports;
    const changed = (): void => {
      this.#topologyVersion++;
    };
    const queuesByName = new Map<string, Queue>();
    this.exchanges = new Exchanges(name, queuesByName, { random, persistence, changed });
    const deadLetterOffice = new DeadLetterOffice({
      findExchange: (exchange) => this.exchanges.get(exchange),
      route: (exchange, message) => this.route(exchange, message),
      wallTime: () => clock.wallTime(),
    });
    this.queues = new Queues(name, queuesByName, this.exchanges, {
      random,
      persistence,
      deadlines,
      deadLetterOffice,
      changed,
    });
    this.replies = new ReplyAddresses(random);
  }

  /** The exchange of that name. Throws a Refusal if there is none that publishers may use. */
  publishable(name: string): Exchange {
    const exchange = this.exchanges.require(name);
    if (exchange.spec.internal) {
      const thing = nameOf('exchange', name, this.name);
      throw new Refusal('access-refused', `cannot publish to internal ${thing}`);
    }
    return exchange;
  }

  /** The queues that a message published to an exchange goes to. */
  route(exchange: Exchange, message: Message): readonly Queue[] {
    return route(exchange, message, this.#findExchange, this.#topologyVersion);
  }

  bindQueue(request: BindingRequest, connection: ConnectionIdentity): void {
    const source = this.#source(request);
    const queue = this.queues.requireAccess(stripLineEnds(request.destination), connection);
    if (!this.exchanges.bind(source, queue, request.routingKey, request.arguments)) return;
    for (const message of source.router.history?.() ?? []) queue.publish(message);
  }

  /** Removes a binding to a queue; it is fine if there is none, or no such queue or exchange. */
  unbindQueue(request: BindingRequest, connection: ConnectionIdentity): void {
    checkNotDefault(stripLineEnds(request.source));
    const source = this.exchanges.get(stripLineEnds(request.source));
    const name = stripLineEnds(request.destination);
    const queue = this.queues.get(name);
    if (source === undefined || queue === undefined) return;
    this.queues.checkAccess(queue, connection);
    this.exchanges.unbind(source, queue, request.routingKey, request.arguments);
  }

  bindExchange(request: BindingRequest): void {
    const name = stripLineEnds(request.destination);
    checkNotDefault(name);
    const source = this.#source(request);
    const destination = this.exchanges.require(name);
    if (!this.exchanges.bind(source, destination, request.routingKey, request.arguments)) return;
    // Another exchange of the kind keeps what it is given: it may be this one's history that grows.
    for (const message of [...(source.router.history?.() ?? [])]) {
      for (const queue of this.route(destination, message)) queue.publish(message);
    }
  }

  /** Removes a binding to an exchange; it is fine if there is none, or no such exchange. */
  unbindExchange(request: BindingRequest): void {
    checkNotDefault(stripLineEnds(request.destination));
    checkNotDefault(stripLineEnds(request.source));
    const source = this.exchanges.get(stripLineEnds(request.source));
    const destination = this.exchanges.get(stripLineEnds(request.destination));
    if (source === undefined || destination === undefined) return;
    this.exchanges.unbind(source, destination, request.routingKey, request.arguments);
  }

  /** The changes that make what survives of the topology what it is, from nothing. */
  *topology(): Generator<TopologyChange> {
    const exchanges = [...this.exchanges.all()].filter(({ spec }) => spec.durable);
    for (const exchange of exchanges) {
      if (!this.exchanges.isPredeclared(exchange)) yield exchangeChange(this.name, exchange);
    }
    for (const queue of this.queues.all()) {
      if (queue.spec.durable) yield queueChange(this.name, queue);
    }
    for (const exchange of exchanges) {
      for (const binding of exchange.bindings()) {
        if (isDurable(binding)) yield bindingChange('binding', this.name, binding);
      }
    }
  }

  /**
   * Makes a change again that was recorded before the broker started; one that has been made is
   * left alone: after a fault the journal may say things twice.
   */
  restore(change: TopologyChange): void {
    switch (change.what) {
      case 'exchange':
        if (this.exchanges.get(change.name) !== undefined) break;
        this.exchanges.restore({
          ...change,
          durable: true,
          arguments: decodeArguments(change.arguments),
        });
        break;
      case 'exchange-deleted':
        this.exchanges.drop(change.name);
        break;
      case 'queue': {
        if (this.queues.get(change.name)?.spec.number === change.number) break;
        const args = decodeArguments(change.arguments);
        const maxPriority = integerArgument(args, 'x-max-priority') ?? 0;
        const { name, number, autoDelete } = change;
        const rest = { durable: true, owner: undefined, arguments: args, maxPriority };
        this.queues.restore({ name, number, autoDelete, ...rest });
        break;
      }
      case 'queue-deleted':
        if (this.queues.get(change.name)?.spec.number !== change.number) break;
        this.queues.drop(change.name);
        break;
      case 'binding':
      case 'unbinding':
        this.#restoreBinding(change);
        break;
    }
  }

  #restoreBinding(change: TopologyChange & { what: 'binding' | 'unbinding' }): void {
    const source = this.exchanges.get(change.source);
    const destination =
      change.destinationKind === 'queue'
        ? this.queues.get(change.destination)
        : this.exchanges.get(change.destination);
    if (source === undefined || destination === undefined) return;
    const args = decodeArguments(change.arguments);
    if (change.what === 'binding')
      this.exchanges.bind(source, destination, change.routingKey, args);
    else this.exchanges.unbind(source, destination, change.routingKey, args);
  }

  #source(request: BindingRequest): Exchange {
    const name = stripLineEnds(request.source);
    checkNotDefault(name);
    return this.exchanges.require(name);
  }

  readonly #findExchange = (name: string): Exchange | undefined => this.exchanges.get(name);
}
