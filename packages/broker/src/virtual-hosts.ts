import type { AccessChange, AccessLedger, VhostLimits, VhostRecord } from './auth/access-change.js';
import type { Audit } from './auth/audit.js';
import { checkLimits } from './auth/limits.js';
import { Refusal } from './core/refusal.js';
import type { VirtualHost } from './core/virtual-host.js';

const LIMITS = ['max-connections', 'max-queues'];

interface Entry {
  readonly vhost: VirtualHost;
  record: VhostRecord;
}

/** The virtual hosts by name. Everything is in wire strings. */
export class VirtualHosts {
  readonly #make: (name: string) => VirtualHost;
  readonly #ledger: AccessLedger;
  readonly #audit: Audit;
  readonly #byName = new Map<string, Entry>();

  constructor(make: (name: string) => VirtualHost, ledger: AccessLedger, audit: Audit) {
    this.#make = make;
    this.#ledger = ledger;
    this.#audit = audit;
  }

  get(name: string): VirtualHost | undefined {
    return this.#byName.get(name)?.vhost;
  }

  /** What is known of one beside what is in it. */
  record(name: string): VhostRecord | undefined {
    return this.#byName.get(name)?.record;
  }

  all(): readonly VirtualHost[] {
    return [...this.#byName.values()].map(({ vhost }) => vhost);
  }

  /** Throws a Refusal if there is one of that name, or something about it is wrong. */
  create(record: VhostRecord): VirtualHost {
    const { name, description, tags, limits } = record;
    if (name === '') throw new Refusal('precondition-failed', 'a virtual host needs a name');
    if (this.#byName.has(name)) {
      throw new Refusal('precondition-failed', `virtual host '${name}' already exists`);
    }
    checkLimits(limits, LIMITS);
    // First, so that what is in it comes behind it.
    this.#ledger.record({ what: 'vhost', vhost: record });
    const vhost = this.#put(record);
    this.#audit.note('vhost.created', { name, description, tags, tracing: false });
    if (Object.keys(limits).length > 0) this.#noteLimits(name, limits);
    return vhost;
  }

  /** Sets all limits; those not named are lifted. Throws a Refusal. */
  setLimits(name: string, limits: VhostLimits): void {
    const entry = this.#byName.get(name);
    if (entry === undefined) {
      throw new Refusal('not-found', `virtual host '${name}' does not exist`);
    }
    checkLimits(limits, LIMITS);
    entry.record = { ...entry.record, limits: { ...limits } };
    entry.vhost.queues.countMax = queuesMax(limits);
    this.#ledger.record({ what: 'vhost', vhost: entry.record });
    this.#noteLimits(name, limits);
  }

  /** Deletes one with all that is in it; false if there is none of that name. */
  delete(name: string): boolean {
    const entry = this.#byName.get(name);
    if (entry === undefined) return false;
    entry.vhost.deleteAll();
    this.#byName.delete(name);
    this.#ledger.record({ what: 'vhost-deleted', name });
    this.#audit.note('vhost.deleted', { name });
    return true;
  }

  /** One that is needed now, whether it was ever made or not. */
  provide(name: string): VirtualHost {
    return this.get(name) ?? this.#put({ name, description: '', tags: [], limits: {} });
  }

  /** Makes a change again that was recorded before the broker started. */
  restore(change: AccessChange): void {
    if (change.what === 'vhost-deleted') this.#byName.delete(change.name);
    if (change.what !== 'vhost') return;
    const { vhost } = change;
    this.provide(vhost.name).queues.countMax = queuesMax(vhost.limits);
    this.#byName.get(vhost.name)!.record = vhost;
  }

  /** The changes that make them what they are, from nothing, but for what is in them. */
  *changes(): Generator<AccessChange> {
    for (const { record } of this.#byName.values()) yield { what: 'vhost', vhost: record };
  }

  #put(record: VhostRecord): VirtualHost {
    const vhost = this.#make(record.name);
    vhost.queues.countMax = queuesMax(record.limits);
    this.#byName.set(record.name, { vhost, record });
    return vhost;
  }

  #noteLimits(vhost: string, limits: VhostLimits): void {
    const isCleared = Object.keys(limits).length === 0;
    const key = isCleared ? 'vhost.limits.cleared' : 'vhost.limits.set';
    this.#audit.note(key, { name: 'limits', vhost, ...limits });
  }
}

function queuesMax(limits: VhostLimits): number {
  const limit = limits['max-queues'] ?? -1;
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}
