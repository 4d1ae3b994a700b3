import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Access, Admission, Admissions, Authorizer } from '../core/ports.js';
import { Refusal } from '../core/refusal.js';
import type {
  AccessChange,
  AccessLedger,
  PermissionRecord,
  TopicPermissionRecord,
  VhostLimits,
} from './access-change.js';
import type { Audit } from './audit.js';
import { Logins } from './logins.js';
import { Occupancy, type OccupancyLimits } from './occupancy.js';
import { OneAtATime } from './one-at-a-time.js';
import { hashPassword, type PasswordHash } from './password-hash.js';
import { Permissions } from './permissions.js';
import { UserAccess } from './user-access.js';
import { Users } from './users.js';

/** What access control needs of the broker. */
export interface AccessPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly ledger: AccessLedger;
  readonly audit: Audit;
  /** The limits of a virtual host; undefined if there is none of that name. */
  readonly vhostLimits: (name: string) => VhostLimits | undefined;
  readonly limits: OccupancyLimits;
  /** The broker's name among others; a wire string. */
  readonly node: string;
  /** Names of users who may come from this machine only. */
  readonly loopbackUsers: ReadonlySet<string>;
}

/** Who there is, and who may do what: users, their logins, permissions, and how many they are. */
export class AccessControl implements Authorizer, Admissions {
  readonly users: Users;
  readonly permissions: Permissions;
  readonly logins: Logins;
  readonly #random: Random;
  readonly #vhostLimits: AccessPorts['vhostLimits'];
  readonly #hashing = new OneAtATime();
  readonly #occupancy: Occupancy;

  constructor(ports: AccessPorts) {
    const { ledger, audit, vhostLimits } = ports;
    this.users = new Users(ledger, audit);
    this.permissions = new Permissions(ledger, audit);
    this.logins = new Logins(this.users, this.#hashing, ports, ports.loopbackUsers);
    this.#random = ports.random;
    this.#vhostLimits = vhostLimits;
    this.#occupancy = new Occupancy({
      limits: ports.limits,
      node: ports.node,
      userLimits: (name) => this.users.get(name)?.limits,
      vhostLimits,
    });
  }

  access(user: string, vhost: string, clientId?: string): Access | undefined {
    if (this.permissions.granted(user, vhost) === undefined) return undefined;
    return new UserAccess(user, vhost, clientId, this.users, this.permissions);
  }

  admit(user: string, vhost: string): Admission {
    return this.#occupancy.admit(user, vhost);
  }

  /** Hashes a password when its turn comes. Rejects with a Refusal if it is blank. */
  async hash(password: string): Promise<PasswordHash> {
    if (password === '') throw new Refusal('precondition-failed', 'a password may not be blank');
    return await this.#hashing.run(() => hashPassword(password, this.#random));
  }

  /** Throws a Refusal if there is no such user or virtual host, or what is permitted is nothing. */
  setPermission(permission: PermissionRecord): void {
    this.#requireBoth(permission);
    this.permissions.set(permission);
  }

  /** Throws a Refusal if there is no such user or virtual host, or what is permitted is nothing. */
  setTopicPermission(permission: TopicPermissionRecord): void {
    this.#requireBoth(permission);
    this.permissions.setTopic(permission);
  }

  /** Removes a user with all that is permitted to them; false if there is none. */
  deleteUser(name: string): boolean {
    if (!this.users.delete(name)) return false;
    this.permissions.deleteAll({ user: name });
    return true;
  }

  /** Makes a change again that was recorded before the broker started. */
  restore(change: AccessChange): void {
    this.users.restore(change);
    this.permissions.restore(change);
  }

  /** The changes that make users and permissions what they are, from nothing. */
  *changes(): Generator<AccessChange> {
    yield* this.users.changes();
    yield* this.permissions.changes();
  }

  #requireBoth({ user, vhost }: { readonly user: string; readonly vhost: string }): void {
    this.users.require(user);
    if (this.#vhostLimits(vhost) !== undefined) return;
    throw new Refusal('not-found', `virtual host '${vhost}' does not exist`);
  }
}
