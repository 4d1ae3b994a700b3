import type { Receiver } from '../ports.js';

/** How many routing keys an exchange remembers; some programs never use one twice. */
const KEYS_MAX = 4_096;

/**
 * The queues that messages with a routing key go to, remembered until the topology changes: the
 * virtual host counts its changes, and a cache filled at another count is empty.
 */
export class RouteCache {
  readonly #byKey = new Map<string, readonly Receiver[]>();
  #topologyVersion = -1;

  get(routingKey: string, topologyVersion: number): readonly Receiver[] | undefined {
    if (topologyVersion !== this.#topologyVersion) return undefined;
    return this.#byKey.get(routingKey);
  }

  set(routingKey: string, topologyVersion: number, queues: readonly Receiver[]): void {
    if (topologyVersion !== this.#topologyVersion || this.#byKey.size >= KEYS_MAX) {
      this.#byKey.clear();
      this.#topologyVersion = topologyVersion;
    }
    this.#byKey.set(routingKey, queues);
  }
}
