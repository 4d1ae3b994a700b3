import type { FieldTable, FieldValue } from '@leveret/amqp';
import { systemRandom } from '../../base/random.js';
import type { ExchangeDeduplication } from '../deduplication/exchange-deduplication.js';
import type { Policy } from '../policy/policy.js';
import { RouteCache, type RouteMemory } from './route-cache.js';
import type { Binding, Destination, Router } from './router.js';
import { DELAYED_TYPE, newRouter } from './router-types.js';

export { isExchangeType } from './router-types.js';

/** What an exchange is declared with. */
export interface ExchangeSpec {
  readonly name: string;
  /** One that `newRouter` knows. */
  readonly type: string;
  readonly durable: boolean;
  /** Goes with its last binding. */
  readonly autoDelete: boolean;
  /** Takes messages from other exchanges only, not from publishers. */
  readonly internal: boolean;
  readonly arguments: FieldTable;
}

/** Takes messages and passes them on to what is bound to it; owner of its bindings. */
export class Exchange {
  readonly kind = 'exchange' as const;
  readonly spec: ExchangeSpec;
  /** Exchanges with a binding to this one. */
  readonly sources: Set<Exchange> = new Set();
  readonly router: Router;
  readonly routes: RouteCache;
  /** What holds duplicates back here, if anything does. */
  deduplication: ExchangeDeduplication | undefined = undefined;
  /** Whether messages may ask it to keep them for a while: see `core/delay`. */
  delays: boolean;
  #policy: Policy | undefined = undefined;
  #policyAlternate: string | undefined = undefined;
  readonly #bindings = new Map<string, Binding>();
  /** The same by where they lead, so that a queue among many goes as quickly as one among few. */
  readonly #byDestination = new Map<Destination, Set<string>>();

  /**
   * `router` by default is what the spec asks for, with the machine's randomness; `routeMemory` is
   * shared with other exchanges.
   */
  constructor(
    spec: ExchangeSpec,
    router: Router = newRouter(spec.type, spec.arguments, systemRandom),
    routeMemory?: RouteMemory,
  ) {
    this.routes = new RouteCache(routeMemory);
    this.spec = spec;
    this.router = router;
    this.delays = isDelaying(spec);
  }

  get name(): string {
    return this.spec.name;
  }

  /**
   * Where a message goes that is bound for nowhere else: the argument `alternate-exchange`, or what
   * a policy says.
   */
  get alternate(): string | undefined {
    const argument = this.spec.arguments.get('alternate-exchange');
    return argument?.type === 'S' ? argument.value : this.#policyAlternate;
  }

  /** The policy that governs it. */
  get policy(): Policy | undefined {
    return this.#policy;
  }

  /** Lets a policy govern it, or none. */
  governBy(policy: Policy | undefined): void {
    this.#policy = policy;
    const alternate = policy?.definition['alternate-exchange'];
    this.#policyAlternate = typeof alternate === 'string' ? alternate : undefined;
    this.delays = isDelaying(this.spec) || policy?.definition['delayed-message'] === true;
  }

  get hasBindings(): boolean {
    return this.#bindings.size > 0;
  }

  /** The bindings from this exchange. */
  bindings(): Iterable<Binding> {
    return this.#bindings.values();
  }

  /**
   * Adds a binding; undefined if it was there already. Throws a Refusal if its arguments are bad,
   * or whatever `admit` throws, who is asked before there is one more.
   */
  bind(
    destination: Destination,
    routingKey: string,
    args: FieldTable,
    admit?: () => void,
  ): Binding | undefined {
    this.router.check(args, routingKey);
    const id = bindingId(destination, routingKey, args);
    if (this.#bindings.has(id)) return undefined;
    admit?.();
    const binding: Binding = { source: this, destination, routingKey, arguments: args };
    this.#bindings.set(id, binding);
    const ids = this.#byDestination.get(destination);
    if (ids === undefined) this.#byDestination.set(destination, new Set([id]));
    else ids.add(id);
    this.router.add(binding);
    destination.sources.add(this);
    return binding;
  }

  /** Removes a binding and returns it; undefined if there was none. */
  unbind(destination: Destination, routingKey: string, args: FieldTable): Binding | undefined {
    const id = bindingId(destination, routingKey, args);
    const binding = this.#bindings.get(id);
    if (binding === undefined) return undefined;
    this.#remove(id, binding);
    const ids = this.#byDestination.get(destination);
    ids?.delete(id);
    if (ids?.size === 0) this.#forget(destination);
    return binding;
  }

  /** Removes every binding to a destination that is going away, and returns them. */
  unbindAll(destination: Destination): Binding[] {
    const unbound: Binding[] = [];
    for (const id of this.#byDestination.get(destination) ?? []) {
      const binding = this.#bindings.get(id)!;
      this.#remove(id, binding);
      unbound.push(binding);
    }
    this.#forget(destination);
    return unbound;
  }

  #remove(id: string, binding: Binding): void {
    this.#bindings.delete(id);
    this.router.remove(binding);
  }

  #forget(destination: Destination): void {
    this.#byDestination.delete(destination);
    destination.sources.delete(this);
  }
}

/** RabbitMQ's plugin has a type for it, LavinMQ an argument. */
function isDelaying({ type, arguments: args }: ExchangeSpec): boolean {
  return type === DELAYED_TYPE || args.get('x-delayed-exchange')?.value === true;
}

/** Two bindings are the same if destination, key and arguments are; the arguments in any order. */
function bindingId(destination: Destination, routingKey: string, args: FieldTable): string {
  const sorted = [...args].sort(([a], [b]) => (a < b ? -1 : 1));
  const key = [destination.kind, destination.name, routingKey, plainEntries(sorted)];
  return JSON.stringify(key);
}

function plainEntries(entries: readonly (readonly [string, FieldValue])[]): unknown[] {
  return entries.map(([name, value]) => [name, value.type, plainValue(value)]);
}

function plainValue(field: FieldValue): unknown {
  switch (field.type) {
    case 'l':
    case 'T':
    // JSON has neither big integers nor infinities.
    case 'f':
    case 'd':
      return String(field.value);
    case 'x':
      return field.value.toString('latin1');
    case 'A':
      return field.value.map((each) => [each.type, plainValue(each)]);
    case 'F':
      return plainEntries([...field.value]);
    default:
      return field.value;
  }
}
