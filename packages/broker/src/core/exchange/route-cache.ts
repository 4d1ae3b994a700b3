import type { Receiver } from '../ports.js';

/** How many routing keys an exchange remembers; some programs never use one twice. */
const KEYS_MAX = 4_096;

/** How many keys are not remembered after those that were have hardly been asked for again. */
const KEYS_PASSED = 16 * KEYS_MAX;

/** What the caches of a virtual host may hold together, in octets. */
const MEMORY_BYTES = 67_108_864;

/** What a routing key takes, and each queue that it leads to, at most about. */
const KEY_BYTES = 256;
const QUEUE_BYTES = 8;

/** How much memory several caches take together; when it is too much, all of them are emptied. */
export class RouteMemory {
  readonly #bytesMax: number;
  readonly #caches = new Set<RouteCache>();
  #bytes = 0;

  constructor(bytesMax: number = MEMORY_BYTES) {
    this.#bytesMax = bytesMax;
  }

  /** A cache takes so many octets more. */
  take(cache: RouteCache, bytes: number): void {
    this.#bytes += bytes;
    this.#caches.add(cache);
    if (this.#bytes > this.#bytesMax) for (const each of this.#caches) each.clear();
  }

  /** A cache is empty now, and has taken so many octets. */
  giveBack(cache: RouteCache, bytes: number): void {
    this.#bytes -= bytes;
    this.#caches.delete(cache);
  }
}

/**
 * The queues that messages with a routing key go to, remembered until the topology changes: the
 * virtual host counts its changes, and a cache filled at another count is empty.
 *
 * Remembering costs as much as routing does. An exchange whose keys do not come again pays it for
 * one in so many of them, to see whether that has changed.
 */
export class RouteCache {
  readonly #memory: RouteMemory;
  readonly #byKey = new Map<string, readonly Receiver[]>();
  #bytes = 0;
  #topologyVersion = -1;
  /** How often what is remembered was of use. */
  #hits = 0;
  /** How many keys are still to be passed over. */
  #passing = 0;

  constructor(memory: RouteMemory = new RouteMemory()) {
    this.#memory = memory;
  }

  get(routingKey: string, topologyVersion: number): readonly Receiver[] | undefined {
    if (topologyVersion !== this.#topologyVersion) return undefined;
    const known = this.#byKey.get(routingKey);
    if (known !== undefined) this.#hits++;
    return known;
  }

  set(routingKey: string, topologyVersion: number, queues: readonly Receiver[]): void {
    if (this.#passing > 0) {
      this.#passing--;
      return;
    }
    const isFull = this.#byKey.size >= KEYS_MAX;
    if (isFull && this.#hits < KEYS_MAX) this.#passing = KEYS_PASSED;
    if (isFull || topologyVersion !== this.#topologyVersion) {
      this.clear();
      this.#topologyVersion = topologyVersion;
    }
    if (this.#passing > 0) return;
    this.#byKey.set(routingKey, queues);
    const bytes = KEY_BYTES + QUEUE_BYTES * queues.length;
    this.#bytes += bytes;
    this.#memory.take(this, bytes);
  }

  /** Forgets everything. */
  clear(): void {
    this.#byKey.clear();
    this.#hits = 0;
    this.#memory.giveBack(this, this.#bytes);
    this.#bytes = 0;
  }
}
