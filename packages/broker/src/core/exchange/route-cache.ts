import type { Receiver } from '../ports.js';

/** How many routing keys an exchange remembers; some programs never use one twice. */
const KEYS_MAX = 4_096;

/** How many keys are not remembered after those that were have hardly been asked for again. */
const KEYS_PASSED = 16 * KEYS_MAX;

/**
 * The queues that messages with a routing key go to, remembered until the topology changes: the
 * virtual host counts its changes, and a cache filled at another count is empty.
 *
 * Remembering costs as much as routing does. An exchange whose keys do not come again pays it for
 * one in so many of them, to see whether that has changed.
 */
export class RouteCache {
  readonly #byKey = new Map<string, readonly Receiver[]>();
  #topologyVersion = -1;
  /** How often what is remembered was of use. */
  #hits = 0;
  /** How many keys are still to be passed over. */
  #passing = 0;

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
      this.#byKey.clear();
      this.#hits = 0;
      this.#topologyVersion = topologyVersion;
    }
    if (this.#passing === 0) this.#byKey.set(routingKey, queues);
  }
}
