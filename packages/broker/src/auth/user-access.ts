import type { Access, Permission } from '../core/ports.js';
import { nameOf, Refusal } from '../core/refusal.js';
import type { Granted, Permissions } from './permissions.js';
import type { TopicRulePair } from './topic-rules.js';
import type { Users } from './users.js';

/** What permissions call the default exchange. */
const DEFAULT_EXCHANGE = 'amq.default';

/** What one user may do in one virtual host, as of now. */
export class UserAccess implements Access {
  readonly #user: string;
  readonly #vhost: string;
  readonly #clientId: string | undefined;
  readonly #users: Users;
  readonly #permissions: Permissions;
  /** What was found at a version of the permissions. */
  #foundAt = -1;
  #granted: Granted | undefined;
  readonly #topics = new Map<string, TopicRulePair>();

  constructor(
    user: string,
    vhost: string,
    clientId: string | undefined,
    users: Users,
    permissions: Permissions,
  ) {
    this.#user = user;
    this.#vhost = vhost;
    this.#clientId = clientId;
    this.#users = users;
    this.#permissions = permissions;
  }

  get version(): number {
    return this.#permissions.version;
  }

  get mayImpersonate(): boolean {
    return this.#users.get(this.#user)?.tags.includes('impersonator') ?? false;
  }

  check(permission: Permission, kind: 'queue' | 'exchange', name: string): void {
    this.#find();
    const called = kind === 'exchange' && name === '' ? DEFAULT_EXCHANGE : name;
    if (this.#granted?.[permission].allows(called)) return;
    const what = nameOf(kind, called, this.#vhost);
    throw refused(`${permission} access to ${what} refused for user '${this.#user}'`);
  }

  governsTopics(exchange: string): boolean {
    this.#find();
    return this.#topics.has(exchange);
  }

  checkTopic(permission: 'write' | 'read', exchange: string, routingKey: string): void {
    this.#find();
    if (this.#topics.get(exchange)?.[permission].allows(routingKey) ?? true) return;
    throw refused(
      `${permission} access to topic '${routingKey}' in exchange '${exchange}' ` +
        `in vhost '${this.#vhost}' refused for user '${this.#user}'`,
    );
  }

  #find(): void {
    const { version } = this.#permissions;
    if (version === this.#foundAt) return;
    this.#foundAt = version;
    this.#granted = this.#permissions.granted(this.#user, this.#vhost);
    this.#topics.clear();
    const rules = this.#permissions.topicRules(this.#user, this.#vhost) ?? [];
    for (const [exchange, each] of rules) this.#topics.set(exchange, each.of(this.#clientId));
  }
}

function refused(text: string): Refusal {
  return new Refusal('access-refused', text);
}
