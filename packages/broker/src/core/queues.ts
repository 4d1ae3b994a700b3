import { type FieldTable, fieldTypeName } from '@leveret/amqp';
import type { Deadlines } from '../base/deadlines.js';
import { type Random, uniqueName } from '../base/random.js';
import type { DeadLetterOffice } from './dead-letter/dead-letter-office.js';
import { checkDeduplicationArguments } from './deduplication/argument-check.js';
import type { Deduplication } from './deduplication/deduplication.js';
import { requireSame, requireSameArguments } from './equivalence.js';
import type { TopologyEvents } from './events/topology-events.js';
import type { Exchanges } from './exchanges.js';
import type { Persistence } from './persistence.js';
import type { Actor, ConnectionIdentity, DeathWatch, QueueOwner } from './ports.js';
import {
  checkQueueArguments,
  EQUIVALENT_ARGUMENTS,
  integerArgument,
  isQuorum,
} from './queue/arguments.js';
import { Queue } from './queue/queue.js';
import type { QueueSpec } from './queue/queue-spec.js';
import { effectiveQueueSettings } from './queue/settings.js';
import type { TopologyQuotas } from './quotas/topology-quotas.js';
import { checkNotReserved, nameOf, notFound, Refusal, stripLineEnds } from './refusal.js';
import { queueChange } from './topology.js';

/** What a client asks for when it declares a queue. */
export interface QueueRequest {
  /** Empty for a name of the broker's choice. */
  readonly name: string;
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

/** Under what circumstances a queue is not to be deleted after all. */
export interface DeleteConditions {
  readonly ifUnused: boolean;
  readonly ifEmpty: boolean;
}

/** The queues of a virtual host by name, and whose they are. */
export class Queues implements QueueOwner {
  /** How many there may be: a limit of the virtual host. */
  countMax: number = Number.POSITIVE_INFINITY;
  readonly #vhost: string;
  readonly #byName: Map<string, Queue>;
  /** The exclusive ones, by whose they are. */
  readonly #byOwner = new Map<ConnectionIdentity, Set<Queue>>();
  readonly #exchanges: Exchanges;
  readonly #random: Random;
  readonly #persistence: Persistence;
  readonly #deadlines: Deadlines;
  readonly #deadLetterOffice: DeadLetterOffice;
  readonly #deathWatch: DeathWatch;
  readonly #deduplication: Deduplication;
  readonly #quotas: TopologyQuotas;
  readonly #changed: () => void;
  readonly #events: TopologyEvents;
  /** Lets the policies that match it govern a queue. */
  readonly #govern: (queue: Queue) => void;

  /** `byName` is kept up to date here, and read by the default exchange. */
  constructor(
    vhost: string,
    byName: Map<string, Queue>,
    exchanges: Exchanges,
    ports: {
      readonly random: Random;
      readonly persistence: Persistence;
      readonly deadlines: Deadlines;
      readonly deadLetterOffice: DeadLetterOffice;
      readonly deathWatch: DeathWatch;
      readonly deduplication: Deduplication;
      readonly quotas: TopologyQuotas;
      readonly changed: () => void;
      readonly events: TopologyEvents;
      readonly governQueue: (queue: Queue) => void;
    },
  ) {
    this.#vhost = vhost;
    this.#byName = byName;
    this.#exchanges = exchanges;
    this.#random = ports.random;
    this.#persistence = ports.persistence;
    this.#deadlines = ports.deadlines;
    this.#deadLetterOffice = ports.deadLetterOffice;
    this.#deathWatch = ports.deathWatch;
    this.#deduplication = ports.deduplication;
    this.#quotas = ports.quotas;
    this.#changed = ports.changed;
    this.#events = ports.events;
    this.#govern = ports.governQueue;
  }

  all(): Iterable<Queue> {
    return this.#byName.values();
  }

  get(name: string): Queue | undefined {
    return this.#byName.get(name);
  }

  /** The queue of that name. Throws a Refusal if there is none. */
  require(name: string): Queue {
    const queue = this.#byName.get(name);
    if (queue === undefined) throw notFound('queue', name, this.#vhost);
    return queue;
  }

  /** The queue of that name, if that connection may use it. Throws a Refusal. */
  requireAccess(name: string, connection: ConnectionIdentity): Queue {
    const queue = this.require(name);
    this.checkAccess(queue, connection);
    return queue;
  }

  /** Makes sure that an exclusive queue is the connection's own. Throws a Refusal. */
  checkAccess(queue: Queue, connection: ConnectionIdentity): void {
    const { owner } = queue.spec;
    if (owner !== undefined && owner !== connection) throw this.#locked(queue.name);
  }

  /**
   * The name of a queue that is asked for, of the broker's choice if none is given. Throws a
   * Refusal if it is not to be had.
   */
  nameFor(request: QueueRequest): string {
    const asked = stripLineEnds(request.name);
    checkNotReserved('queue', asked);
    if (asked !== '') return asked;
    this.#checkServerNamed(request.arguments);
    return uniqueName(this.#random, 'amq.gen');
  }

  /**
   * Creates a queue, or makes sure that the one there is the same; `name` is what {@link nameFor}
   * says. Throws a Refusal.
   */
  declare(
    request: QueueRequest,
    connection: ConnectionIdentity,
    name: string = this.nameFor(request),
  ): Queue {
    const current = this.#byName.get(name);
    if (current !== undefined) {
      this.#requireSame(current, request, connection);
      return current;
    }
    if (this.#byName.size >= this.countMax) {
      const text = `queue limit in vhost '${this.#vhost}' (${this.countMax}) is reached`;
      throw new Refusal('precondition-failed', `cannot declare queue '${name}': ${text}`);
    }
    const spec = this.#specOf(name, request, connection);
    this.#quotas.checkQueue(name, this.#vhost, spec.arguments);
    const queue = this.restore(spec);
    queue.begin();
    this.#events.queueCreated(queue, connection);
    return queue;
  }

  /** Creates a queue without asking whether it may be; {@link Queue.begin} is still to come. */
  restore(spec: QueueSpec): Queue {
    const queue = new Queue(spec, effectiveQueueSettings(spec.arguments), {
      owner: this,
      stores: this.#persistence.storesFor(spec.number, spec.durable),
      deadlines: this.#deadlines,
      random: this.#random,
      deadLetterOffice: this.#deadLetterOffice,
      deathWatch: this.#deathWatch,
      deduplication: this.#deduplication,
      quotas: this.#quotas,
    });
    this.#byName.set(spec.name, queue);
    this.#quotas.added('queue', spec.arguments);
    this.#own(queue);
    this.#govern(queue);
    if (spec.durable) this.#persistence.record(queueChange(this.#vhost, queue));
    this.#changed();
    return queue;
  }

  /** Removes a queue without asking whether it may be. */
  drop(name: string): void {
    const queue = this.#byName.get(name);
    if (queue !== undefined) this.#remove(queue);
  }

  /** Deletes a queue with its messages; 0 if there is none. Throws a Refusal. */
  delete(wireName: string, connection: ConnectionIdentity, conditions: DeleteConditions): number {
    const name = stripLineEnds(wireName);
    const queue = this.#byName.get(name);
    if (queue === undefined) return 0;
    this.checkAccess(queue, connection);
    const thing = nameOf('queue', name, this.#vhost);
    if (conditions.ifUnused && queue.consumerCount > 0) {
      throw new Refusal('precondition-failed', `${thing} in use`);
    }
    if (conditions.ifEmpty && queue.messageCount + queue.waitingCount > 0) {
      throw new Refusal('precondition-failed', `${thing} not empty`);
    }
    const count = queue.messageCount;
    this.#remove(queue, connection);
    return count;
  }

  /** Deletes the exclusive queues of a connection that is gone. */
  deleteExclusive(connection: ConnectionIdentity): void {
    for (const queue of [...(this.#byOwner.get(connection) ?? [])]) this.#remove(queue);
  }

  /** From a queue: its last consumer has gone, and it goes too. */
  queueUnused(queue: Queue): void {
    this.#remove(queue);
  }

  /** From a queue: it has not been used for too long. */
  queueExpired(queue: Queue): void {
    this.#remove(queue);
  }

  #remove(queue: Queue, actor?: Actor): void {
    // A queue that ends tells its consumers, and may then be told that it is unused.
    if (!this.#byName.delete(queue.name)) return;
    const { name, number, durable } = queue.spec;
    this.#quotas.removed('queue', queue.spec.arguments);
    this.#disown(queue);
    if (durable) {
      this.#persistence.record({ what: 'queue-deleted', vhost: this.#vhost, name, number });
    }
    this.#exchanges.unbindAll(queue);
    queue.delete();
    this.#changed();
    this.#events.queueDeleted(queue, actor);
  }

  #own(queue: Queue): void {
    const { owner } = queue.spec;
    if (owner === undefined) return;
    const owned = this.#byOwner.get(owner);
    if (owned === undefined) this.#byOwner.set(owner, new Set([queue]));
    else owned.add(queue);
  }

  #disown(queue: Queue): void {
    const { owner } = queue.spec;
    if (owner === undefined) return;
    const owned = this.#byOwner.get(owner);
    owned?.delete(queue);
    if (owned?.size === 0) this.#byOwner.delete(owner);
  }

  /** What a queue that is asked for will be. Throws a Refusal if it cannot be. */
  #specOf(name: string, request: QueueRequest, connection: ConnectionIdentity): QueueSpec {
    const { arguments: args } = request;
    const thing = nameOf('queue', name, this.#vhost);
    const deadLetterExchange = args.get('x-dead-letter-exchange');
    if (deadLetterExchange !== undefined && deadLetterExchange.type !== 'S') {
      const type = fieldTypeName(deadLetterExchange);
      const text = `invalid type '${type}' for arg 'x-dead-letter-exchange' in ${thing}`;
      throw new Refusal('precondition-failed', text);
    }
    checkQueueArguments(name, this.#vhost, args);
    checkDeduplicationArguments(args);
    if (isQuorum(args)) checkQuorum(thing, request);
    const durable = request.durable && !request.exclusive;
    return {
      name,
      number: this.#persistence.newQueueNumber(),
      durable,
      autoDelete: request.autoDelete,
      owner: request.exclusive ? connection : undefined,
      arguments: args,
      maxPriority: integerArgument(args, 'x-max-priority') ?? 0,
    };
  }

  #requireSame(queue: Queue, request: QueueRequest, connection: ConnectionIdentity): void {
    const { spec } = queue;
    const thing = nameOf('queue', queue.name, this.#vhost);
    if (spec.owner !== (request.exclusive ? connection : undefined)) throw this.#locked(queue.name);
    // An exclusive queue is never durable: asking for both asks for an exclusive one.
    requireSame(thing, 'durable', request.durable && !request.exclusive, spec.durable);
    requireSame(thing, 'auto_delete', request.autoDelete, spec.autoDelete);
    requireSameArguments(thing, EQUIVALENT_ARGUMENTS, request.arguments, spec.arguments);
  }

  #checkServerNamed(args: FieldTable): void {
    if (!isQuorum(args)) return;
    const text = 'Cannot declare a server-named queue for type rabbit_quorum_queue';
    throw new Refusal('precondition-failed', text);
  }

  #locked(name: string): Refusal {
    return new Refusal(
      'resource-locked',
      `cannot obtain exclusive access to locked ${nameOf('queue', name, this.#vhost)}. ` +
        'It could be originally declared on another connection or the exclusive property value ' +
        'does not match that of the original declaration.',
    );
  }
}

/** What a quorum queue may not be, in RabbitMQ's words. */
function checkQuorum(thing: string, request: QueueRequest): void {
  const property = [
    request.exclusive && 'exclusive-owner',
    request.autoDelete && 'auto-delete',
    !request.durable && 'non-durable',
  ].find((each) => each !== false);
  if (property === undefined) return;
  throw new Refusal('precondition-failed', `invalid property '${property}' for ${thing}`);
}
