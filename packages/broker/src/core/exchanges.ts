import { type FieldTable, fieldTypeName } from '@leveret/amqp';
import type { Random } from '../base/random.js';
import { checkExchangeDeduplication } from './deduplication/argument-check.js';
import type { Deduplication } from './deduplication/deduplication.js';
import { requireSame, requireSameArguments } from './equivalence.js';
import type { TopologyEvents } from './events/topology-events.js';
import { DefaultRouter } from './exchange/default.js';
import { Exchange, type ExchangeSpec } from './exchange/exchange.js';
import { RouteMemory } from './exchange/route-cache.js';
import type { Binding, Destination } from './exchange/router.js';
import { checkExchangeType, newRouter } from './exchange/router-types.js';
import type { Persistence } from './persistence.js';
import type { Actor } from './ports.js';
import type { Queue } from './queue/queue.js';
import type { TopologyQuotas } from './quotas/topology-quotas.js';
import { checkNotReserved, nameOf, notFound, Refusal, stripLineEnds } from './refusal.js';
import { bindingChange, exchangeChange, isDurable } from './topology.js';

const NO_ARGUMENTS: FieldTable = new Map();

/** The arguments that must be the same when an exchange is declared again; others are free. */
const EQUIVALENT_ARGUMENTS = ['alternate-exchange', 'x-delayed-exchange'];

/** The exchanges that every virtual host has from the start. */
const PREDECLARED: readonly (readonly [name: string, type: string, internal: boolean])[] = [
  ['amq.direct', 'direct', false],
  ['amq.fanout', 'fanout', false],
  ['amq.topic', 'topic', false],
  ['amq.headers', 'headers', false],
  ['amq.match', 'headers', false],
  ['amq.rabbitmq.trace', 'topic', true],
];

/** The exchanges of a virtual host by name, and the bindings between them and to queues. */
export class Exchanges {
  readonly #vhost: string;
  readonly #byName = new Map<string, Exchange>();
  /** Told of each change: what was remembered of routes is no longer true. */
  readonly #changed: () => void;
  readonly #persistence: Persistence;
  readonly #random: Random;
  readonly #events: TopologyEvents;
  readonly #deduplication: Deduplication;
  readonly #quotas: TopologyQuotas;
  readonly #routeMemory = new RouteMemory();
  /** Lets the policies that match it govern an exchange. */
  readonly #govern: (exchange: Exchange) => void;
  /** Told of each exchange that has been removed. */
  readonly #gone: (exchange: Exchange) => void;
  /** Names of those that are there whether declared or not. */
  readonly #predeclared = new Set<string>(['']);

  constructor(
    vhost: string,
    queues: ReadonlyMap<string, Queue>,
    ports: {
      readonly random: Random;
      readonly persistence: Persistence;
      readonly changed: () => void;
      readonly events: TopologyEvents;
      readonly deduplication: Deduplication;
      readonly quotas: TopologyQuotas;
      readonly governExchange: (exchange: Exchange) => void;
      readonly exchangeGone: (exchange: Exchange) => void;
    },
  ) {
    this.#vhost = vhost;
    this.#random = ports.random;
    this.#persistence = ports.persistence;
    this.#changed = ports.changed;
    this.#events = ports.events;
    this.#deduplication = ports.deduplication;
    this.#quotas = ports.quotas;
    this.#govern = ports.governExchange;
    this.#gone = ports.exchangeGone;
    const own = { durable: true, autoDelete: false, arguments: NO_ARGUMENTS };
    const defaultSpec = { ...own, name: '', type: 'direct', internal: false };
    this.#byName.set('', new Exchange(defaultSpec, new DefaultRouter(queues), this.#routeMemory));
    this.#quotas.added('exchange', NO_ARGUMENTS);
    for (const [name, type, internal] of PREDECLARED) {
      this.#predeclared.add(name);
      this.#add({ ...own, name, type, internal });
    }
  }

  /** An internal exchange of the broker's own, which is there from now on as if it always was. */
  provide(name: string, type: string): Exchange {
    this.#predeclared.add(name);
    const own = { durable: true, autoDelete: false, internal: true, arguments: NO_ARGUMENTS };
    return this.#byName.get(name) ?? this.#add({ ...own, name, type });
  }

  get(name: string): Exchange | undefined {
    return this.#byName.get(name);
  }

  all(): Iterable<Exchange> {
    return this.#byName.values();
  }

  /** The exchange of that name. Throws a Refusal if there is none. */
  require(name: string): Exchange {
    const exchange = this.#byName.get(name);
    if (exchange === undefined) throw notFound('exchange', name, this.#vhost);
    return exchange;
  }

  /** Makes sure an exchange is there that nobody has to declare: `passive` declaration. */
  requireDeclared(wireName: string): void {
    const name = stripLineEnds(wireName);
    checkNotDefault(name);
    this.require(name);
  }

  /** Creates an exchange, or makes sure that the one there is the same. Throws a Refusal. */
  declare(spec: ExchangeSpec, actor?: Actor): void {
    const { type } = spec;
    checkExchangeType(type);
    const name = stripLineEnds(spec.name);
    checkNotDefault(name);
    const thing = nameOf('exchange', name, this.#vhost);
    const current = this.#byName.get(name)?.spec;
    if (current === undefined) {
      checkNotReserved('exchange', name);
      const alternate = spec.arguments.get('alternate-exchange');
      if (alternate !== undefined && alternate.type !== 'S') {
        const text = `invalid type '${fieldTypeName(alternate)}' for arg 'alternate-exchange' in `;
        throw new Refusal('precondition-failed', text + thing);
      }
      checkExchangeDeduplication(type, spec.arguments);
      const delayed = spec.arguments.get('x-delayed-exchange');
      if (delayed !== undefined && delayed.type !== 't') {
        const text = `invalid type '${fieldTypeName(delayed)}' for arg 'x-delayed-exchange' in `;
        throw new Refusal('precondition-failed', text + thing);
      }
      this.#quotas.checkExchange(name, this.#vhost, spec.arguments);
      const exchange = this.restore({ ...spec, name });
      this.#events.exchangeCreated(exchange, actor);
      return;
    }
    requireSame(thing, 'type', type, current.type);
    requireSame(thing, 'durable', spec.durable, current.durable);
    requireSame(thing, 'auto_delete', spec.autoDelete, current.autoDelete);
    requireSame(thing, 'internal', spec.internal, current.internal);
    requireSameArguments(thing, EQUIVALENT_ARGUMENTS, spec.arguments, current.arguments);
  }

  /** Creates an exchange without asking whether it may be. */
  restore(spec: ExchangeSpec): Exchange {
    const exchange = this.#add(spec);
    if (spec.durable) this.#persistence.record(exchangeChange(this.#vhost, exchange));
    this.#changed();
    return exchange;
  }

  /** Removes an exchange without asking whether it may be. */
  drop(name: string): void {
    const exchange = this.#byName.get(name);
    if (exchange !== undefined) this.#remove(exchange);
  }

  /** Whether an exchange is one that is always there. */
  isPredeclared(exchange: Exchange): boolean {
    return this.#predeclared.has(exchange.name);
  }

  /**
   * Deletes an exchange with its bindings; deleting what is not there is fine. Throws a Refusal.
   */
  delete(wireName: string, ifUnused: boolean, actor?: Actor): void {
    const name = stripLineEnds(wireName);
    checkNotDefault(name);
    const thing = nameOf('exchange', name, this.#vhost);
    if (name.startsWith('amq.')) {
      throw new Refusal('access-refused', `deletion of system ${thing} not allowed`);
    }
    const exchange = this.#byName.get(name);
    if (exchange === undefined) return;
    if (ifUnused && exchange.hasBindings) {
      throw new Refusal('precondition-failed', `${thing} in use`);
    }
    this.#remove(exchange, actor);
  }

  /**
   * Binds a destination to an exchange; false if it is bound so already. Throws a Refusal if the
   * key or the arguments are not the type's, or there are as many bindings as may be.
   */
  bind(
    source: Exchange,
    destination: Destination,
    routingKey: string,
    args: FieldTable,
    actor?: Actor,
  ): boolean {
    const admit = (): void => this.#quotas.checkBinding(source.name, this.#vhost, routingKey, args);
    return this.#bound(source.bind(destination, routingKey, args, admit), actor);
  }

  /** Binds without asking whether there are too many. */
  restoreBinding(
    source: Exchange,
    destination: Destination,
    routingKey: string,
    args: FieldTable,
  ): void {
    this.#bound(source.bind(destination, routingKey, args));
  }

  unbind(
    source: Exchange,
    destination: Destination,
    routingKey: string,
    args: FieldTable,
    actor?: Actor,
  ): void {
    const binding = source.unbind(destination, routingKey, args);
    if (binding === undefined) return;
    this.#quotas.removed('binding', binding.arguments, binding.routingKey);
    if (isDurable(binding)) {
      this.#persistence.record(bindingChange('unbinding', this.#vhost, binding));
    }
    this.#changed();
    this.#events.unbound(binding, actor);
    this.#removeIfDone(source);
  }

  /** Removes the bindings to a destination that is going away. */
  unbindAll(destination: Destination): void {
    for (const source of [...destination.sources]) {
      const unbound = source.unbindAll(destination);
      this.#removeIfDone(source);
      for (const binding of unbound) this.#unbound(binding);
    }
    this.#changed();
  }

  #bound(binding: Binding | undefined, actor?: Actor): boolean {
    if (binding === undefined) return false;
    this.#quotas.added('binding', binding.arguments, binding.routingKey);
    if (isDurable(binding)) {
      this.#persistence.record(bindingChange('binding', this.#vhost, binding));
    }
    this.#changed();
    this.#events.bound(binding, actor);
    return true;
  }

  #unbound(binding: Binding): void {
    this.#quotas.removed('binding', binding.arguments, binding.routingKey);
    this.#events.unbound(binding);
  }

  #add(spec: ExchangeSpec): Exchange {
    const exchange = new Exchange(
      spec,
      newRouter(spec.type, spec.arguments, this.#random),
      this.#routeMemory,
    );
    this.#byName.set(spec.name, exchange);
    this.#quotas.added('exchange', spec.arguments);
    this.#govern(exchange);
    this.#deduplication.govern(exchange);
    return exchange;
  }

  /** An auto-delete exchange goes with its last binding. */
  #removeIfDone(source: Exchange): void {
    if (source.spec.autoDelete && !source.hasBindings) this.#remove(source);
  }

  #remove(exchange: Exchange, actor?: Actor): void {
    const { name, durable } = exchange.spec;
    this.#byName.delete(name);
    this.#quotas.removed('exchange', exchange.spec.arguments);
    if (durable) this.#persistence.record({ what: 'exchange-deleted', vhost: this.#vhost, name });
    this.#events.exchangeDeleted(exchange, actor);
    for (const binding of exchange.bindings()) {
      binding.destination.sources.delete(exchange);
      this.#unbound(binding);
    }
    this.unbindAll(exchange);
    exchange.router.end?.();
    exchange.routes.clear();
    this.#deduplication.end(exchange);
    this.#gone(exchange);
  }
}

/** The default exchange is there for publishing, and for nothing else. */
export function checkNotDefault(name: string): void {
  if (name !== '') return;
  throw new Refusal('access-refused', 'operation not permitted on the default exchange');
}
