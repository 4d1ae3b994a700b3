import { Refusal } from '../core/refusal.js';
import type {
  AccessChange,
  AccessLedger,
  PermissionRecord,
  TopicPermissionRecord,
} from './access-change.js';
import type { Audit } from './audit.js';
import { Rule } from './rule.js';
import { TopicRules } from './topic-rules.js';

/** What a user may do in a virtual host. */
export interface Granted {
  readonly record: PermissionRecord;
  readonly configure: Rule;
  readonly write: Rule;
  readonly read: Rule;
}

/** Whom and where one asks for; what is not given may be any. */
export interface PermissionFilter {
  readonly user?: string;
  readonly vhost?: string;
}

/** Who may do what, by user and virtual host. Everything is in wire strings. */
export class Permissions {
  readonly #ledger: AccessLedger;
  readonly #audit: Audit;
  readonly #granted = new Map<string, Granted>();
  readonly #topics = new Map<string, Map<string, TopicRules>>();
  #version = 0;

  constructor(ledger: AccessLedger, audit: Audit) {
    this.#ledger = ledger;
    this.#audit = audit;
  }

  /** How often anything has changed: answers that were given at another count are void. */
  get version(): number {
    return this.#version;
  }

  granted(user: string, vhost: string): Granted | undefined {
    return this.#granted.get(keyOf(user, vhost));
  }

  /** By exchange. */
  topicRules(user: string, vhost: string): ReadonlyMap<string, TopicRules> | undefined {
    return this.#topics.get(keyOf(user, vhost));
  }

  /** Throws a Refusal if one of the three is no regular expression, and changes nothing then. */
  set(permission: PermissionRecord): void {
    this.#grant(permission);
    this.#ledger.record({ what: 'permission', permission });
    this.#audit.note('permission.created', { ...permission });
  }

  /** False if there was nothing permitted. */
  delete(user: string, vhost: string): boolean {
    if (!this.#granted.delete(keyOf(user, vhost))) return false;
    this.#version++;
    this.#ledger.record({ what: 'permission-deleted', user, vhost });
    this.#audit.note('permission.deleted', { user, vhost });
    return true;
  }

  list(filter: PermissionFilter = {}): readonly PermissionRecord[] {
    return [...this.#granted.values()].map(({ record }) => record).filter(matches(filter));
  }

  /** Throws a Refusal if one of the two is no regular expression, and changes nothing then. */
  setTopic(permission: TopicPermissionRecord): void {
    this.#grantTopics(permission);
    this.#ledger.record({ what: 'topic-permission', permission });
    this.#audit.note('topic.permission.created', { ...permission });
  }

  /** False if there was none for that exchange. */
  deleteTopic(user: string, vhost: string, exchange: string): boolean {
    if (!this.#forgetTopic(user, vhost, exchange)) return false;
    this.#ledger.record({ what: 'topic-permission-deleted', user, vhost, exchange });
    this.#audit.note('topic.permission.deleted', { user, vhost, exchange });
    return true;
  }

  listTopics(filter: PermissionFilter = {}): readonly TopicPermissionRecord[] {
    const rules = [...this.#topics.values()].flatMap((byExchange) => [...byExchange.values()]);
    return rules.map(({ record }) => record).filter(matches(filter));
  }

  /** Everything permitted to a user, or in a virtual host, that is going. */
  deleteAll(filter: PermissionFilter): void {
    for (const { user, vhost } of this.list(filter)) this.delete(user, vhost);
    for (const { user, vhost, exchange } of this.listTopics(filter)) {
      this.deleteTopic(user, vhost, exchange);
    }
  }

  /** Makes a change again that was recorded before the broker started. */
  restore(change: AccessChange): void {
    switch (change.what) {
      case 'permission':
        this.#grant(change.permission);
        break;
      case 'permission-deleted':
        this.#granted.delete(keyOf(change.user, change.vhost));
        break;
      case 'topic-permission':
        this.#grantTopics(change.permission);
        break;
      case 'topic-permission-deleted':
        this.#forgetTopic(change.user, change.vhost, change.exchange);
        break;
    }
  }

  /** The changes that make the permissions what they are, from nothing. */
  *changes(): Generator<AccessChange> {
    for (const permission of this.list()) yield { what: 'permission', permission };
    for (const permission of this.listTopics()) yield { what: 'topic-permission', permission };
  }

  #grant(record: PermissionRecord): void {
    const { configure, write, read } = record;
    this.#granted.set(keyOf(record.user, record.vhost), {
      record,
      configure: new Rule(configure),
      write: new Rule(write),
      read: new Rule(read),
    });
    this.#version++;
  }

  #grantTopics(record: TopicPermissionRecord): void {
    if (record.exchange === '') {
      throw new Refusal('precondition-failed', 'a topic permission needs the name of an exchange');
    }
    const rules = new TopicRules(record);
    const key = keyOf(record.user, record.vhost);
    const byExchange = this.#topics.get(key) ?? new Map<string, TopicRules>();
    byExchange.set(record.exchange, rules);
    this.#topics.set(key, byExchange);
    this.#version++;
  }

  #forgetTopic(user: string, vhost: string, exchange: string): boolean {
    const key = keyOf(user, vhost);
    const byExchange = this.#topics.get(key);
    if (!byExchange?.delete(exchange)) return false;
    if (byExchange.size === 0) this.#topics.delete(key);
    this.#version++;
    return true;
  }
}

function keyOf(user: string, vhost: string): string {
  return JSON.stringify([user, vhost]);
}

function matches(
  filter: PermissionFilter,
): (record: { readonly user: string; readonly vhost: string }) => boolean {
  return ({ user, vhost }) => user === (filter.user ?? user) && vhost === (filter.vhost ?? vhost);
}
