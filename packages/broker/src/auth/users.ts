import { Refusal } from '../core/refusal.js';
import type { AccessChange, AccessLedger, UserLimits, UserRecord } from './access-change.js';
import type { Audit } from './audit.js';
import { checkLimits } from './limits.js';
import type { PasswordHash } from './password-hash.js';

const LIMITS = ['max-connections', 'max-channels'];

/** The users by name. Everything is in wire strings. */
export class Users {
  readonly #ledger: AccessLedger;
  readonly #audit: Audit;
  readonly #byName = new Map<string, UserRecord>();

  constructor(ledger: AccessLedger, audit: Audit) {
    this.#ledger = ledger;
    this.#audit = audit;
  }

  get(name: string): UserRecord | undefined {
    return this.#byName.get(name);
  }

  /** All of them, by name. */
  list(): readonly UserRecord[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The user of that name. Throws a Refusal if there is none. */
  require(name: string): UserRecord {
    const user = this.#byName.get(name);
    if (user === undefined) throw new Refusal('not-found', `user '${name}' does not exist`);
    return user;
  }

  /** Throws a Refusal if there is a user of that name, or something about it is wrong. */
  create(user: UserRecord): void {
    const { name, tags, limits } = user;
    if (name === '') throw new Refusal('precondition-failed', 'a user needs a name');
    if (this.#byName.has(name)) {
      throw new Refusal('precondition-failed', `user '${name}' already exists`);
    }
    checkLimits(limits, LIMITS);
    this.#put(user);
    this.#audit.note('user.created', { name });
    if (tags.length > 0) this.#audit.note('user.tags.set', { name, tags });
    if (Object.keys(limits).length > 0) this.#noteLimits(name, limits);
  }

  /** Changes the password; what has been found right before is so no more. */
  setPassword(name: string, { password_hash, hashing_algorithm }: PasswordHash): void {
    this.#put({ ...this.require(name), password_hash, hashing_algorithm });
    const key = password_hash === '' ? 'user.password.cleared' : 'user.password.changed';
    this.#audit.note(key, { name });
  }

  setTags(name: string, tags: readonly string[]): void {
    this.#put({ ...this.require(name), tags: [...tags] });
    this.#audit.note('user.tags.set', { name, tags });
  }

  /** Sets all limits; those not named are lifted. */
  setLimits(name: string, limits: UserLimits): void {
    const user = this.require(name);
    checkLimits(limits, LIMITS);
    this.#put({ ...user, limits: { ...limits } });
    this.#noteLimits(name, limits);
  }

  /** False if there is none of that name. */
  delete(name: string): boolean {
    if (!this.#byName.delete(name)) return false;
    this.#ledger.record({ what: 'user-deleted', name });
    this.#audit.note('user.deleted', { name });
    return true;
  }

  /** Makes a change again that was recorded before the broker started. */
  restore(change: AccessChange): void {
    if (change.what === 'user') this.#byName.set(change.user.name, change.user);
    if (change.what === 'user-deleted') this.#byName.delete(change.name);
  }

  /** The changes that make the users what they are, from nothing. */
  *changes(): Generator<AccessChange> {
    for (const user of this.#byName.values()) yield { what: 'user', user };
  }

  /** A changed user is another object: who has looked at the old one can tell. */
  #put(user: UserRecord): void {
    this.#byName.set(user.name, user);
    this.#ledger.record({ what: 'user', user });
  }

  #noteLimits(username: string, limits: UserLimits): void {
    const isCleared = Object.keys(limits).length === 0;
    const key = isCleared ? 'user.limits.cleared' : 'user.limits.set';
    this.#audit.note(key, { name: 'limits', username, ...limits });
  }
}
