import { fromWire, toWire } from '@leveret/amqp';
import type {
  PermissionRecord,
  TopicPermissionRecord,
  UserLimits,
  UserRecord,
  VhostLimits,
  VhostRecord,
} from './auth/access-change.js';
import type { AccessControl } from './auth/access-control.js';
import { checkPasswordHash, NO_PASSWORD, type PasswordHash } from './auth/password-hash.js';
import type { PermissionFilter } from './auth/permissions.js';
import { convert, inText } from './control/text.js';
import { Refusal } from './core/refusal.js';
import type { Realm } from './realm.js';

/** A user to be made: with a password, or one that is hashed, or none to log in without. */
export interface NewUser extends Partial<PasswordHash> {
  readonly name: string;
  readonly password?: string;
  readonly tags?: readonly string[];
  readonly limits?: UserLimits;
}

/**
 * The users of a broker. What is changed holds at once, and survives the broker if its queues do.
 * What cannot be done throws, or rejects with, a Refusal, and changes nothing.
 *
 * ```ts
 * await broker.users.create({ name: 'alice', password: 'secret', tags: ['monitoring'] });
 * const permitted = { configure: '', write: '^orders$', read: '' };
 * broker.permissions.set({ user: 'alice', vhost: '/', ...permitted });
 * ```
 */
export interface UserSettings {
  /** Makes a user; one without permissions can log in, and enter no virtual host. */
  create(user: NewUser): Promise<void>;
  setPassword(name: string, password: string): Promise<void>;
  /** With {@link NO_PASSWORD} the user can log in by password no more. */
  setPasswordHash(name: string, hash: PasswordHash): void;
  setTags(name: string, tags: readonly string[]): void;
  /** Sets all limits; those not named are lifted. */
  setLimits(name: string, limits: UserLimits): void;
  /** Closes the user's connections; false if there is none of that name. */
  delete(name: string): boolean;
  get(name: string): UserRecord | undefined;
  list(): readonly UserRecord[];
}

/** What the users of a broker may do. */
export interface PermissionSettings {
  /** Throws a Refusal if there is no such user or virtual host, or a pattern is none. */
  set(permission: PermissionRecord): void;
  /** The user may not enter the virtual host any more; false if they could not before. */
  delete(user: string, vhost: string): boolean;
  list(filter?: PermissionFilter): readonly PermissionRecord[];
  /** Throws a Refusal if there is no such user or virtual host, or a pattern is none. */
  setTopic(permission: TopicPermissionRecord): void;
  /** False if the user's routing keys for that exchange were not restricted. */
  deleteTopic(user: string, vhost: string, exchange: string): boolean;
  listTopics(filter?: PermissionFilter): readonly TopicPermissionRecord[];
}

/** A virtual host to be made. */
export interface NewVhost {
  readonly name: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly limits?: VhostLimits;
}

/** The virtual hosts of a broker. */
export interface VhostSettings {
  /** Nobody may enter it until it is permitted. Throws a Refusal if there is one of that name. */
  create(vhost: NewVhost): void;
  /** Sets all limits; those not named are lifted. Throws a Refusal if there is no such thing. */
  setLimits(name: string, limits: VhostLimits): void;
  /**
   * Deletes it with its queues, exchanges, policies and permissions, and closes its connections;
   * false if there is none of that name.
   */
  delete(name: string): boolean;
  get(name: string): VhostRecord | undefined;
  list(): readonly VhostRecord[];
}

/** `closeConnections` ends those of a user; the name is a wire string. */
export function usersOf(
  access: AccessControl,
  closeConnections: (user: string) => void,
): UserSettings {
  const { users } = access;
  return {
    create: async ({ name, password, tags = [], limits = {}, ...hash }) => {
      const hashed =
        password === undefined ? givenHash(hash) : await hashOf(access, password, hash);
      inText(() => users.create({ ...convert({ name, tags, limits }, toWire), ...hashed }));
    },
    setPassword: async (name, password) => {
      inText(() => users.require(toWire(name)));
      const hashed = await hashOf(access, password);
      inText(() => users.setPassword(toWire(name), hashed));
    },
    setPasswordHash: (name, hash) => {
      checkHash(hash);
      inText(() => users.setPassword(toWire(name), hash));
    },
    setTags: (name, tags) => inText(() => users.setTags(toWire(name), tags.map(toWire))),
    setLimits: (name, limits) => inText(() => users.setLimits(toWire(name), limits)),
    delete: (name) => {
      if (!access.deleteUser(toWire(name))) return false;
      closeConnections(toWire(name));
      return true;
    },
    get: (name) => convert(users.get(toWire(name)), fromWire),
    list: () => convert(users.list(), fromWire),
  };
}

export function permissionsOf(access: AccessControl): PermissionSettings {
  const { permissions } = access;
  return {
    set: (permission) => inText(() => access.setPermission(convert(permission, toWire))),
    delete: (user, vhost) => permissions.delete(toWire(user), toWire(vhost)),
    list: (filter = {}) => convert(permissions.list(convert(filter, toWire)), fromWire),
    setTopic: (permission) => inText(() => access.setTopicPermission(convert(permission, toWire))),
    deleteTopic: (user, vhost, exchange) =>
      permissions.deleteTopic(toWire(user), toWire(vhost), toWire(exchange)),
    listTopics: (filter = {}) => convert(permissions.listTopics(convert(filter, toWire)), fromWire),
  };
}

/** `closeConnections` ends those in a virtual host; the name is a wire string. */
export function vhostsOf(
  { access, vhosts }: Realm,
  closeConnections: (vhost: string) => void,
): VhostSettings {
  return {
    create: ({ name, description = '', tags = [], limits = {} }) => {
      const record = convert({ name, description, tags, limits }, toWire);
      inText(() => vhosts.create(record));
    },
    setLimits: (name, limits) => inText(() => vhosts.setLimits(toWire(name), limits)),
    delete: (text) => {
      const name = toWire(text);
      if (vhosts.get(name) === undefined) return false;
      // Nobody comes in while it is being deleted, and nobody who comes later finds a name allowed.
      access.permissions.deleteAll({ vhost: name });
      vhosts.delete(name);
      closeConnections(name);
      return true;
    },
    get: (name) => convert(vhosts.record(toWire(name)), fromWire),
    list: () =>
      convert(
        [...vhosts.all()].map(({ name }) => vhosts.record(name)!),
        fromWire,
      ),
  };
}

async function hashOf(
  access: AccessControl,
  password: string,
  { password_hash }: Partial<PasswordHash> = {},
): Promise<PasswordHash> {
  if (password_hash !== undefined) {
    throw new Refusal('precondition-failed', 'a user has a password or a password hash, not both');
  }
  return await access.hash(toWire(password));
}

/** RabbitMQ's hashes come without an algorithm, too, and are SHA-256 then. */
function givenHash(hash: Partial<PasswordHash>): PasswordHash {
  const { password_hash, hashing_algorithm } = { ...NO_PASSWORD, ...hash };
  return checkHash({ password_hash, hashing_algorithm });
}

function checkHash(hash: PasswordHash): PasswordHash {
  try {
    checkPasswordHash(hash);
    return hash;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Refusal('precondition-failed', error.message);
  }
}
