import type { Duplex } from 'node:stream';
import { connectionError, fromWire, OUTPUT_BUFFER_BYTES, REPLY_CODES, toWire } from '@leveret/amqp';
import {
  type PermissionSettings,
  permissionsOf,
  type UserSettings,
  usersOf,
  type VhostSettings,
  vhostsOf,
} from './access-settings.js';
import { DiskWatch } from './alarms/disk-watch.js';
import { alarmLimits, pagingMessagesMax } from './alarms/memory-limits.js';
import { ResourceAlarms } from './alarms/resource-alarms.js';
import { BufferPool } from './base/buffer-pool.js';
import { systemClock, type Timer } from './base/clock.js';
import { Deadlines } from './base/deadlines.js';
import { LinkedList } from './base/lists/linked-list.js';
import { silentLogger } from './base/logger.js';
import { type Machine, systemMachine } from './base/machine.js';
import { systemRandom } from './base/random.js';
import { TimeSlices } from './base/slices/time-slices.js';
import { Turn } from './base/turn.js';
import type { BrokerOptions, StorageOptions } from './broker-options.js';
import { peerCertificate } from './certificate-user.js';
import {
  type ExplainRequest,
  explainPublish,
  type NewAmqpMessage,
  unroutableMessages,
} from './control/explain-publish.js';
import { convert } from './control/text.js';
import { controlOf, type VirtualHostControl } from './control/virtual-host-control.js';
import { EventExchange } from './core/events/event-exchange.js';
import type { Reporting } from './core/events/reporting.js';
import type { Explanation, UnroutableMessage } from './core/explain/explanation.js';
import type { Message } from './core/message.js';
import { InMemory } from './core/persistence.js';
import { type MessageParts, NOTHING_TO_WAIT_FOR } from './core/ports.js';
import { TopologyQuotas } from './core/quotas/topology-quotas.js';
import { VirtualHost } from './core/virtual-host.js';
import { type BrokerLimits, limitsOf } from './limits.js';
import { Newcomers } from './listening/newcomers.js';
import { closeJournal, type OpenedJournal, openJournal } from './open-journal.js';
import { Connection } from './protocols/amqp091/connection.js';
import type { Surroundings } from './protocols/amqp091/context.js';
import { endpointsOf, socketEnds } from './protocols/amqp091/opening/endpoints.js';
import { Greetings } from './protocols/amqp091/opening/greetings.js';
import { Handshake, type HandshakePorts } from './protocols/amqp091/opening/handshake.js';
import { SERVER_PROPERTIES } from './protocols/amqp091/opening/server-properties.js';
import { composeMessage } from './protocols/amqp091/publishing/compose-message.js';
import { Realm } from './realm.js';
import { nodeFiles } from './store/disk/node-files.js';
import { MemoryBudget } from './store/memory-budget.js';
import { SlabAllocator } from './store/slab.js';

/** How often memory that is held by very little is looked for, in milliseconds. */
const SWEEP_MILLISECONDS = 1_000;

/** How logins have gone since the broker was started. */
export interface LoginCounts {
  readonly succeeded: number;
  readonly failed: number;
}

/** Size of a journal file unless it is said otherwise, in octets. */
const JOURNAL_FILE_BYTES = 67_108_864;

/** Memory for messages unless it is said otherwise, in octets. */
const MEMORY_BYTES = 1_073_741_824;

/** Room that is left on the disk unless it is said otherwise, in octets. */
const DISK_FREE_BYTES = 50_000_000;

/** How long a broker that closes waits for its peers to agree, in milliseconds. */
const CLOSE_GRACE_MILLISECONDS = 2_000;

/**
 * A message broker: virtual hosts, and the connections that are being served. It opens no port; it
 * serves whatever stream it is given.
 */
export class Broker {
  /** The users, and what is theirs. */
  readonly users: UserSettings;
  /** What the users may do. */
  readonly permissions: PermissionSettings;
  /** The virtual hosts, as things to make and to delete; {@link vhost} has what is in one. */
  readonly vhosts: VhostSettings;
  /** How many peers have logged in, and how many have not been let in. */
  readonly logins: LoginCounts;
  readonly #ports: HandshakePorts;
  readonly #events: EventExchange;
  readonly #alarms: ResourceAlarms;
  readonly #machine: Machine;
  readonly #realm: Realm;
  readonly #handshakes: Newcomers<Handshake>;
  readonly #connections = new LinkedList<Connection>();
  #isClosing = false;
  #emptied: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  readonly #opened: OpenedJournal | undefined;
  readonly #diskWatch: DiskWatch | undefined;
  #sweepTimer: Timer;

  /** A broker that keeps everything in memory. {@link Broker.open} makes one that does not. */
  constructor(options: BrokerOptions = {}, start: Start = startInMemory(options)) {
    this.#opened = start.opened;
    this.#diskWatch = start.diskWatch;
    this.#alarms = start.surroundings.alarms;
    this.#machine = options.machine ?? systemMachine;
    this.#realm = start.realm;
    const { access, vhosts } = start.realm;
    this.users = usersOf(access, (name) => {
      this.#closeWhere((connection) => connection.user === name, `user '${name}' is deleted`);
    });
    this.permissions = permissionsOf(access);
    this.vhosts = vhostsOf(start.realm, (name) => {
      this.#closeWhere((connection) => connection.vhost === name, `vhost '${name}' is deleted`);
    });
    const logins = { succeeded: 0, failed: 0 };
    this.logins = logins;
    this.#ports = {
      ...start.surroundings,
      durability: start.opened?.journal ?? NOTHING_TO_WAIT_FOR,
      authenticator: options.authenticator ?? access.logins,
      authorizer: options.authorizer ?? access,
      admissions: access,
      logins,
      anonymousUser: options.anonymousUser && toWire(options.anonymousUser),
      externalUser: externalUserOf(options),
      greetings: new Greetings(
        { ...SERVER_PROPERTIES, ...options.serverProperties },
        start.surroundings.limits,
      ),
      findVhost: (name) => vhosts.get(name),
    };
    this.#handshakes = new Newcomers({
      max: this.#ports.limits.handshakesMax,
      turnAway: (handshake) => handshake.abandon(),
      logger: this.#ports.logger,
      doing: 'their handshake',
    });
    const [first] = vhosts.all();
    this.#events = start.surroundings.events;
    if (first !== undefined) this.#events.publishIn(first);
    this.setMemoryHighWatermark(options.memoryHighWatermarkBytes);
    this.#sweepTimer = this.#sweepLater();
  }

  /**
   * A broker that keeps durable exchanges, queues and persistent messages in a data directory, and
   * begins with what is there. Rejects with DirectoryInUseError if another broker has it, with
   * NewerFormatError if a newer version of Leveret wrote it, or with Node's error.
   */
  static async open(options: BrokerOptions & { storage: StorageOptions }): Promise<Broker> {
    const surroundings = surroundingsOf(options);
    const { directory, files = nodeFiles, fileBytes = JOURNAL_FILE_BYTES } = options.storage;
    const budget = new MemoryBudget(
      surroundings.slabs,
      options.storage.memoryBytes ?? MEMORY_BYTES,
      pagingMessagesMax(options.machine ?? systemMachine),
    );
    const ports = { ...surroundings, budget, files, isShared: files === nodeFiles };
    const journalOptions = { directory, fileBytes, sync: options.storage.sync ?? 'always' };
    const opened = await openJournal(options, ports, journalOptions);
    const freeBytesMin = options.storage.diskFreeBytesMin ?? DISK_FREE_BYTES;
    const diskWatch = new DiskWatch(
      { directory, freeBytesMin },
      { ...surroundings, files },
      surroundings.alarms,
      opened.journal,
    );
    return new Broker(options, { surroundings, opened, realm: opened.realm, diskWatch });
  }

  /** What there is to set in a virtual host. Throws a RangeError if there is none of that name. */
  vhost(name: string): VirtualHostControl {
    return controlOf(this.#requireVhost(name));
  }

  /**
   * Says where a message would go and why, binding by binding, and what each queue would do with
   * it. Nothing is published, and nothing changes. Throws a RangeError if there is no such virtual
   * host; what a publisher would be refused is an outcome.
   */
  explain(request: ExplainRequest): Explanation {
    const vhost = this.#requireVhost(request.vhost ?? '/');
    return explainPublish(vhost, request, this.#newMessage, this.#ports.authorizer);
  }

  /** The messages of late that reached no queue, the latest first, with what came near. */
  unroutable(vhost: string = '/'): readonly UnroutableMessage[] {
    return unroutableMessages(this.#requireVhost(vhost), this.#newMessage);
  }

  /**
   * Sets how many octets of messages may be in memory before publishers wait, as `rabbitmqctl
   * set_vm_memory_high_watermark` does; without a number the default. With 0 they wait in any case.
   */
  setMemoryHighWatermark(bytes?: number): void {
    const { slabs } = this.#ports;
    const limits = alarmLimits(this.#machine);
    const bytesMax = bytes ?? limits.bytes;
    slabs.watch({
      bytesMax,
      messagesMax: limits.messages,
      crossed: (isTooMuch) => {
        const state = { bytes: slabs.liveBytes, messages: slabs.liveMessages, bytesMax };
        this.#alarms.set('memory', isTooMuch, state);
      },
    });
  }

  /**
   * Serves a peer that speaks AMQP 0-9-1 at the other end of a stream: a TCP or TLS socket, one
   * half of a `duplexPair()`, anything that carries octets both ways.
   */
  accept(duplex: Duplex): void {
    try {
      this.#accept(duplex);
    } catch (error) {
      this.#ports.logger.error('internal error: a connection cannot be served', { error });
      duplex.destroy();
    }
  }

  #accept(duplex: Duplex): void {
    // One that has closed already would never say so again.
    if (this.#isClosing || duplex.destroyed) {
      duplex.destroy();
      return;
    }
    const handshake = new Handshake(
      duplex,
      endpointsOf(socketEnds(duplex, peerCertificate(duplex)), this.#ports.random),
      this.#ports,
      (transport, context) => {
        this.#handshakes.delete(place);
        const connection = new Connection(transport, context, () => {
          this.#connections.delete(its);
          this.#checkEmptied();
        });
        const its = this.#connections.add(connection);
        return connection;
      },
      () => {
        this.#handshakes.delete(place);
        this.#checkEmptied();
      },
    );
    const place = this.#handshakes.add(handshake);
  }

  /**
   * Ends every connection with 320 CONNECTION_FORCED, as RabbitMQ does when it stops, and waits for
   * the peers to agree, but not for long.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    this.#sweepTimer.cancel();
    this.#diskWatch?.stop();
    const text = "broker forced connection closure with reason 'shutdown'";
    const error = connectionError(REPLY_CODES.CONNECTION_FORCED, text);
    for (const connection of this.#connections.values()) connection.shutDown(error);
    this.#handshakes.turnAllAway();
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    const cutAll = (): void => {
      for (const connection of this.#connections.values()) connection.cut();
    };
    const grace = this.#ports.clock.after(CLOSE_GRACE_MILLISECONDS, cutAll, true);
    this.#checkEmptied();
    await emptied;
    grace.cancel();
    this.#events.stop();
    if (this.#opened !== undefined) await closeJournal(this.#opened, this.#ports);
  }

  /** Ends connections with 320, as RabbitMQ does when what they are for is gone. */
  #closeWhere(isMeant: (connection: Connection) => boolean, reason: string): void {
    const error = connectionError(REPLY_CODES.CONNECTION_FORCED, reason);
    for (const connection of this.#connections.values()) {
      if (isMeant(connection)) connection.shutDown(error);
    }
  }

  #requireVhost(name: string): VirtualHost {
    const vhost = this.#realm.vhosts.get(toWire(name));
    if (vhost === undefined) throw new RangeError(`no virtual host '${name}'`);
    return vhost;
  }

  readonly #newMessage: NewAmqpMessage = (parts) => composeMessage(this.#ports.slabs, parts);

  #checkEmptied(): void {
    if (this.#connections.size + this.#handshakes.size === 0) this.#emptied?.();
  }

  #sweepLater(): Timer {
    return this.#ports.clock.after(SWEEP_MILLISECONDS, () => {
      if (this.#ports.slabs.isSparse) this.#sweep();
      if (this.#opened?.budget.isTight) this.#shrink();
      this.#sweepTimer = this.#sweepLater();
    });
  }

  /** Leaves only the heads of the queues in memory. */
  #shrink(): void {
    for (const vhost of this.#realm.vhosts.all()) {
      for (const queue of vhost.queues.all()) queue.shrink();
      for (const { messages } of vhost.delays.all()) messages.shrink();
    }
  }

  /** Moves the few messages that keep much memory from being freed. */
  #sweep(): void {
    const compact = (message: Message): void => message.compact();
    for (const vhost of this.#realm.vhosts.all()) {
      for (const queue of vhost.queues.all()) queue.forEachMessage(compact);
      for (const { messages } of vhost.delays.all()) messages.forEachMessage(compact);
      for (const exchange of vhost.exchanges.all()) exchange.router.history?.().forEach(compact);
    }
  }
}

/** What a broker begins with. */
interface Start {
  readonly surroundings: Omit<Surroundings, 'durability' | 'alarms'> & {
    readonly limits: BrokerLimits;
    readonly quotas: TopologyQuotas;
    readonly alarms: ResourceAlarms;
    readonly events: EventExchange;
    readonly reporting: Reporting;
  };
  readonly realm: Realm;
  readonly opened: OpenedJournal | undefined;
  readonly diskWatch?: DiskWatch;
}

function startInMemory(options: BrokerOptions): Start {
  const surroundings = surroundingsOf(options);
  const ports = { ...surroundings, persistence: new InMemory() };
  const makeVhost = (name: string): VirtualHost => new VirtualHost(name, ports);
  const realm = new Realm({ ...surroundings, makeVhost, record: () => {} }, options);
  realm.seed(options);
  return { surroundings, realm, opened: undefined };
}

function externalUserOf({ externalUser }: BrokerOptions): HandshakePorts['externalUser'] {
  if (externalUser === undefined) return () => undefined;
  return (stream) => {
    const user = externalUser(stream);
    return typeof user === 'string' ? toWire(user) : user;
  };
}

/** The ports to the world, as a broker's options have them. */
export function surroundingsOf(options: BrokerOptions): Start['surroundings'] {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const turn = new Turn();
  const slabs = new SlabAllocator(turn);
  const node = toWire(options.serverProperties?.clusterName ?? SERVER_PROPERTIES.clusterName);
  const newMessage = (parts: MessageParts): Message => composeMessage(slabs, parts);
  const broken = (error: unknown): void => logger.error('internal error', { error });
  const events = new EventExchange({ clock, turn, newMessage, broken });
  const alarms = new ResourceAlarms(turn, logger);
  const limits = limitsOf(options.limits);
  return {
    random: options.random ?? systemRandom,
    clock,
    deadlines: new Deadlines(clock, broken),
    logger,
    turn,
    slices: new TimeSlices(clock, turn),
    pool: new BufferPool(OUTPUT_BUFFER_BYTES),
    slabs,
    alarms,
    events,
    node,
    limits,
    quotas: new TopologyQuotas(limits),
    reporting: {
      events,
      audited: (what, particulars) => logger.debug(what, convert(particulars, fromWire)),
      node,
      turn,
      newMessage,
      broken,
    },
  };
}
