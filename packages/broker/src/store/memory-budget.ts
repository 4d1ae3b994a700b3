import type { SlabAllocator } from './slab.js';

/** What of a queue stays in memory: messages, and octets of them. */
export interface Window {
  readonly messages: number;
  readonly bytes: number;
}

/** While there is room for all. */
const WIDE: Window = { messages: 16_384, bytes: 67_108_864 };

/** When there is not: enough for consumers not to wait for each message. */
const NARROW: Window = { messages: 256, bytes: 1_048_576 };

/**
 * How much of its messages a broker keeps in memory, all queues together. A queue's head is in
 * memory, and what comes behind its window is on the disk alone; above the budget every window is
 * narrow.
 */
export class MemoryBudget {
  readonly #slabs: SlabAllocator;
  readonly #bytes: number;
  readonly #messages: number;

  /** `bytes`, `messages`: what there may be of them before it gets narrow. */
  constructor(slabs: SlabAllocator, bytes: number, messages: number = Number.POSITIVE_INFINITY) {
    this.#slabs = slabs;
    this.#bytes = bytes;
    this.#messages = messages;
  }

  /** Whether there is more in memory than there should be. */
  get isTight(): boolean {
    return this.#slabs.liveBytes > this.#bytes || this.#slabs.liveMessages > this.#messages;
  }

  get window(): Window {
    return this.isTight ? NARROW : WIDE;
  }
}
