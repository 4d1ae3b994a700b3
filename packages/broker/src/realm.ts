import { toWire } from '@leveret/amqp';
import type { AccessChange } from './auth/access-change.js';
import { AccessControl } from './auth/access-control.js';
import { Audit } from './auth/audit.js';
import type { OccupancyLimits } from './auth/occupancy.js';
import { hashPasswordNow, rabbitHash } from './auth/password-hash.js';
import type { Clock } from './base/clock.js';
import type { Logger } from './base/logger.js';
import type { Random } from './base/random.js';
import type { EventSink } from './core/ports.js';
import type { TopologyChange } from './core/topology.js';
import type { VirtualHost } from './core/virtual-host.js';
import { VirtualHosts } from './virtual-hosts.js';

/** The user that a new broker begins with. */
export interface DefaultUser {
  readonly name: string;
  readonly password: string;
}

/** Whom and what a broker begins with. */
export interface RealmOptions {
  /**
   * Names of virtual hosts that are made unless they are there. Default: {@link defaultVhost}, in a
   * broker that has never been started.
   */
  readonly vhosts?: readonly string[];
  /** The virtual host that is made the first time if no others are asked for. Default: `/`. */
  readonly defaultVhost?: string;
  /**
   * The user that a broker has which has never been started: an administrator who may do everything
   * in the virtual hosts there are. Default: `guest` with the password `guest`.
   */
  readonly defaultUser?: DefaultUser;
  /** Names of users who may log in from this machine only. Default: `guest`, as in RabbitMQ. */
  readonly loopbackUsers?: readonly string[];
}

/** What a realm needs of the broker. */
export interface RealmPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: EventSink;
  readonly limits: OccupancyLimits;
  /** The broker's name among others; a wire string. */
  readonly node: string;
  readonly makeVhost: (name: string) => VirtualHost;
  readonly record: (change: AccessChange) => void;
}

/** Known to everybody: who may use it from where is limited otherwise. */
const GUEST: DefaultUser = { name: 'guest', password: 'guest' };
const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

/** What a broker has by name: virtual hosts, users, and what they may do in them. */
export class Realm {
  readonly vhosts: VirtualHosts;
  readonly access: AccessControl;
  readonly #random: Random;
  readonly #record: RealmPorts['record'];
  #isSeeded = false;

  constructor(ports: RealmPorts, options: RealmOptions) {
    const { logger, events, makeVhost, record } = ports;
    const audit = new Audit(events, logger);
    const ledger = { record };
    this.#random = ports.random;
    this.#record = record;
    this.vhosts = new VirtualHosts(makeVhost, ledger, audit);
    this.access = new AccessControl({
      ...ports,
      audit,
      ledger,
      vhostLimits: (name) => this.vhosts.record(name)?.limits,
      loopbackUsers: new Set((options.loopbackUsers ?? ['guest']).map(toWire)),
    });
  }

  /**
   * Makes the virtual hosts that are asked for and, the first time, the user. Nobody has done it:
   * it is not told of.
   */
  seed({ vhosts, defaultVhost = '/', defaultUser = GUEST }: RealmOptions): void {
    const names = vhosts ?? (this.#isSeeded ? [] : [defaultVhost]);
    for (const name of names.map(toWire)) {
      if (this.vhosts.record(name) !== undefined) continue;
      this.#make({ what: 'vhost', vhost: { name, description: '', tags: [], limits: {} } });
    }
    if (this.#isSeeded) return;
    const name = toWire(defaultUser.name);
    const hash = defaultUser === GUEST ? rabbitHash : hashPasswordNow;
    const hashed = hash(toWire(defaultUser.password), this.#random);
    this.#make({ what: 'seeded' });
    this.#make({
      what: 'user',
      user: { name, ...hashed, tags: ['administrator'], limits: {} },
    });
    for (const { name: vhost } of this.vhosts.all()) {
      this.#make({ what: 'permission', permission: { user: name, vhost, ...EVERYTHING } });
    }
  }

  /** Makes a change again that was recorded before the broker started. */
  restore(change: AccessChange | TopologyChange): void {
    switch (change.what) {
      case 'seeded':
        this.#isSeeded = true;
        break;
      case 'vhost':
      case 'vhost-deleted':
        this.vhosts.restore(change);
        break;
      case 'user':
      case 'user-deleted':
      case 'permission':
      case 'permission-deleted':
      case 'topic-permission':
      case 'topic-permission-deleted':
        this.access.restore(change);
        break;
      case 'queue-numbers':
        break;
      default:
        this.vhosts.provide(change.vhost).restore(change);
    }
  }

  /** The changes that make all of it what it is, from nothing. */
  *changes(): Generator<AccessChange | TopologyChange> {
    if (this.#isSeeded) yield { what: 'seeded' };
    yield* this.access.changes();
    yield* this.vhosts.changes();
    for (const vhost of this.vhosts.all()) yield* vhost.topology();
  }

  #make(change: AccessChange): void {
    this.#record(change);
    this.restore(change);
  }
}
