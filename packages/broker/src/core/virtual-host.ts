import type { FieldTable } from '@leveret/amqp';
import type { Clock } from '../base/clock.js';
import type { Deadlines } from '../base/deadlines.js';
import type { Random } from '../base/random.js';
import { DeadLetterOffice } from './dead-letter/dead-letter-office.js';
import { Deduplication } from './deduplication/deduplication.js';
import { Passage } from './deduplication/passage.js';
import { Delays } from './delay/delays.js';
import { Firehose } from './events/firehose.js';
import { noReporting, type Reporting } from './events/reporting.js';
import { TopologyEvents } from './events/topology-events.js';
import type { Exchange } from './exchange/exchange.js';
import { checkNotDefault, Exchanges } from './exchanges.js';
import { Unroutables } from './explain/unroutables.js';
import type { Message } from './message.js';
import type { Persistence } from './persistence.js';
import { Governance, type Governing } from './policy/governance.js';
import type { Policy, PolicyKind, PolicyList } from './policy/policy.js';
import type { Actor, ConnectionIdentity, Receiver } from './ports.js';
import { integerArgument } from './queue/arguments.js';
import type { Queue } from './queue/queue.js';
import { effectiveQueueSettings } from './queue/settings.js';
import { Queues } from './queues.js';
import type { TopologyQuotas } from './quotas/topology-quotas.js';
import { nameOf, Refusal, stripLineEnds } from './refusal.js';
import { ReplyAddresses } from './reply-addresses.js';
import { type RoutingPorts, route } from './routing.js';
import {
  bindingChange,
  decodeArguments,
  exchangeChange,
  isDurable,
  policyChange,
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
  readonly quotas: TopologyQuotas;
  /** Without it nothing that happens is reported. */
  readonly reporting?: Reporting;
}

/** A world of its own: exchanges, queues and the bindings between them, under a name. */
export class VirtualHost {
  readonly name: string;
  readonly exchanges: Exchanges;
  readonly queues: Queues;
  readonly delays: Delays;
  readonly replies: ReplyAddresses;
  readonly firehose: Firehose;
  readonly deduplication: Deduplication;
  /** Messages that reached no queue: front ends note them. */
  readonly unroutables: Unroutables;
  readonly #deadLetterOffice: DeadLetterOffice;
  readonly #events: TopologyEvents;
  readonly #persistence: Persistence;
  readonly #governance: Governance;
  /** How often the topology has changed: what was remembered of routes at another count is void. */
  #topologyVersion = 0;
  #passage: Passage | undefined = undefined;

  constructor(name: string, ports: VirtualHostPorts) {
    this.name = name;
    const { random, clock, deadlines, persistence, quotas, reporting = noReporting() } = ports;
    this.#events = new TopologyEvents(reporting, name);
    this.firehose = new Firehose(this, reporting);
    this.#persistence = persistence;
    this.#governance = new Governance((kind, policyName, policy) =>
      this.#policyChanged(kind, policyName, policy),
    );
    const changed = (): void => {
      this.#topologyVersion++;
    };
    const queuesByName = new Map<string, Queue>();
    this.unroutables = new Unroutables(() => clock.wallTime());
    this.deduplication = new Deduplication(name, {
      deadlines,
      persistence,
      keys: quotas.deduplicationKeys,
    });
    const { deduplication } = this;
    this.delays = new Delays(name, {
      deadlines,
      persistence,
      deliver: (exchange, message) => this.#deliver(exchange, message, true),
    });
    const events = this.#events;
    const topologyPorts = { random, persistence, changed, events, deduplication, quotas };
    this.exchanges = new Exchanges(name, queuesByName, {
      ...topologyPorts,
      exchangeGone: (exchange) => this.delays.drop(exchange),
      governExchange: (exchange) => this.#governExchange(exchange),
    });
    this.#deadLetterOffice = new DeadLetterOffice({
      findExchange: (exchange) => this.exchanges.get(exchange),
      route: (exchange, message) => this.route(exchange, message),
      deathWatch: this.firehose,
      takePassage: () => this.takePassage(),
      wallTime: () => clock.wallTime(),
    });
    this.queues = new Queues(name, queuesByName, this.exchanges, {
      ...topologyPorts,
      deadlines,
      deadLetterOffice: this.#deadLetterOffice,
      deathWatch: this.firehose,
      governQueue: (queue) => this.#governQueue(queue),
    });
    this.replies = new ReplyAddresses(random);
  }

  /** Optional arguments for queues and exchanges by name. */
  get policies(): PolicyList {
    return this.#governance.policies;
  }

  /** Limits to what arguments and policies may ask for. */
  get operatorPolicies(): PolicyList {
    return this.#governance.operatorPolicies;
  }

  /** The policies that govern a queue or an exchange. */
  governing(thing: Queue | Exchange): Governing {
    return this.#governance.of(thing);
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

  /** Whether the firehose is on: every message is published again, to `amq.rabbitmq.trace`. */
  get tracing(): boolean {
    return this.firehose.isOn;
  }

  set tracing(isOn: boolean) {
    this.firehose.isOn = isOn;
  }

  /** Publishes a message of the broker's own, to an exchange that may be internal or missing. */
  publishInternally(exchangeName: string, message: Message): void {
    const exchange = this.exchanges.get(exchangeName);
    if (exchange === undefined) return;
    this.#deliver(exchange, message);
  }

  /**
   * The queues that a message published to an exchange goes to. {@link takePassage} says what else
   * is to be done with it.
   */
  route(exchange: Exchange, message: Message): readonly Receiver[] {
    this.#passage = undefined;
    return route(exchange, message, this.#routing, this.#topologyVersion);
  }

  /**
   * How the message that was routed last came through exchanges that hold duplicates back; of
   * nearly every message undefined. Taken before queues get the message, for others may be routed
   * then, and settled when they have it.
   */
  takePassage(): Passage | undefined {
    return this.#passage;
  }

  bindQueue(request: BindingRequest, connection: ConnectionIdentity): void {
    const source = this.#source(request);
    const queue = this.queues.requireAccess(stripLineEnds(request.destination), connection);
    const { routingKey, arguments: args } = request;
    if (!this.exchanges.bind(source, queue, routingKey, args, connection)) return;
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
    this.exchanges.unbind(source, queue, request.routingKey, request.arguments, connection);
  }

  bindExchange(request: BindingRequest, actor?: Actor): void {
    const name = stripLineEnds(request.destination);
    checkNotDefault(name);
    const source = this.#source(request);
    const destination = this.exchanges.require(name);
    const { routingKey, arguments: args } = request;
    if (!this.exchanges.bind(source, destination, routingKey, args, actor)) return;
    // Another exchange of the kind keeps what it is given: it may be this one's history that grows.
    for (const message of [...(source.router.history?.() ?? [])]) {
      this.#deliver(destination, message);
    }
  }

  /** Removes a binding to an exchange; it is fine if there is none, or no such exchange. */
  unbindExchange(request: BindingRequest, actor?: Actor): void {
    checkNotDefault(stripLineEnds(request.destination));
    checkNotDefault(stripLineEnds(request.source));
    const source = this.exchanges.get(stripLineEnds(request.source));
    const destination = this.exchanges.get(stripLineEnds(request.destination));
    if (source === undefined || destination === undefined) return;
    this.exchanges.unbind(source, destination, request.routingKey, request.arguments, actor);
  }

  /** Deletes everything in it: the virtual host itself is going. */
  deleteAll(): void {
    for (const queue of [...this.queues.all()]) this.queues.drop(queue.name);
    for (const exchange of [...this.exchanges.all()]) this.exchanges.drop(exchange.name);
    for (const kind of ['policy', 'operator_policy'] as const) {
      const policies = this.#governance.listOf(kind);
      for (const { name } of policies.list()) policies.delete(name);
    }
  }

  /** The changes that make what survives of the topology what it is, from nothing. */
  *topology(): Generator<TopologyChange> {
    for (const kind of ['policy', 'operator_policy'] as const) {
      for (const policy of this.#governance.listOf(kind).list()) {
        yield policyChange(this.name, kind, policy.name, policy);
      }
    }
    yield* this.deduplication.topology();
    const exchanges = [...this.exchanges.all()].filter(({ spec }) => spec.durable);
    for (const exchange of exchanges) {
      if (!this.exchanges.isPredeclared(exchange)) yield exchangeChange(this.name, exchange);
    }
    yield* this.delays.topology();
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
      case 'delays': {
        const exchange = this.exchanges.get(change.exchange);
        if (exchange !== undefined) this.delays.restore(exchange, change.number);
        break;
      }
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
      case 'window':
      case 'window-ended':
        this.deduplication.restore(change);
        break;
      case 'policy':
        this.#governance.listOf(change.kind).set(change.policy);
        break;
      case 'policy-deleted':
        this.#governance.listOf(change.kind).delete(change.name);
        break;
    }
  }

  /** Everything has been put back; before new changes are recorded, what is kept is found again. */
  reopen(): void {
    this.deduplication.open();
    for (const exchange of this.exchanges.all()) this.deduplication.govern(exchange);
    for (const queue of this.queues.all()) {
      if (queue.settings.deduplication !== undefined) queue.applySettings(queue.settings);
    }
  }

  /** Everything has been put back, and new changes can be recorded: queues go by their rules. */
  restored(): void {
    for (const queue of [...this.queues.all()]) queue.begin();
    this.delays.begin();
  }

  #restoreBinding(change: TopologyChange & { what: 'binding' | 'unbinding' }): void {
    const source = this.exchanges.get(change.source);
    const destination =
      change.destinationKind === 'queue'
        ? this.queues.get(change.destination)
        : this.exchanges.get(change.destination);
    if (source === undefined || destination === undefined) return;
    const args = decodeArguments(change.arguments);
    if (change.what === 'binding') {
      this.exchanges.restoreBinding(source, destination, change.routingKey, args);
    } else this.exchanges.unbind(source, destination, change.routingKey, args);
  }

  /** A policy has come, changed or gone: whatever it governs, or governed, goes by it at once. */
  #policyChanged(kind: PolicyKind, name: string, policy: Policy | undefined): void {
    this.#persistence.record(policyChange(this.name, kind, name, policy));
    for (const exchange of this.exchanges.all()) this.#governExchange(exchange);
    for (const queue of this.queues.all()) {
      if (this.#governQueue(queue)) this.#events.queueGoverned(queue, policy);
    }
    // Messages that were not routed may now have an alternate exchange.
    this.#topologyVersion++;
    this.#events.policyChanged(kind, name, policy);
  }

  #governExchange(exchange: Exchange): void {
    // Nothing is ever left over at the default exchange that RabbitMQ would give to another.
    if (exchange.name === '') return;
    const governing = this.#governance.govern(exchange);
    if (governing === undefined) return;
    exchange.governBy(governing.policy);
    this.deduplication.govern(exchange);
  }

  /** True if something else governs the queue now. */
  #governQueue(queue: Queue): boolean {
    const governing = this.#governance.govern(queue);
    if (governing === undefined) return false;
    const { policy, operatorPolicy } = governing;
    const args = queue.spec.arguments;
    const settings = effectiveQueueSettings(args, policy?.definition, operatorPolicy?.definition);
    queue.applySettings(settings);
    return true;
  }

  #source(request: BindingRequest): Exchange {
    const name = stripLineEnds(request.source);
    checkNotDefault(name);
    return this.exchanges.require(name);
  }

  /** Gives a message to the queues it goes to, which may refuse it unless they `must` take it. */
  #deliver(exchange: Exchange, message: Message, must = false): void {
    const queues = this.route(exchange, message);
    const passage = this.takePassage();
    let isTaken = queues.length > 0;
    for (const queue of queues) if (!queue.publish(message, must)) isTaken = false;
    passage?.settle(message, isTaken);
  }

  readonly #routing: RoutingPorts = {
    find: (name) => this.exchanges.get(name),
    passage: () => {
      this.#passage ??= new Passage(this.#deadLetterOffice);
      return this.#passage;
    },
    delay: (exchange, message) => this.delays.holderOf(exchange, message),
  };
}
