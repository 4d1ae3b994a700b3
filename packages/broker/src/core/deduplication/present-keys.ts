import type { Backlog } from '../queue/backlog/backlog.js';
import type { KeyCount } from './key-count.js';
import type { KeyMemory } from './key-memory.js';
import { type MessageKey, messageKey } from './message-key.js';
import { type DeduplicationSettings, KEYS_MAX } from './settings.js';

/**
 * The keys of the messages that are in a queue, delivered ones included. They survive the broker as
 * their messages do: they are read from them.
 */
export class PresentKeys implements KeyMemory {
  readonly #backlog: Backlog;
  readonly #count: KeyCount;
  readonly #positions = new Map<string, number>();
  readonly #keys = new Map<number, string>();

  constructor(backlog: Backlog, count: KeyCount) {
    this.#count = count;
    this.#backlog = backlog;
  }

  get size(): number {
    return this.#positions.size;
  }

  has(key: string): boolean {
    return this.#positions.has(key);
  }

  add({ key }: MessageKey, position: number): void {
    if (position < 0 || !this.#backlog.has(position) || this.#keys.size >= KEYS_MAX) return;
    if (!this.#keys.has(position)) {
      if (this.#count.isFull) return;
      this.#count.added();
    }
    this.#positions.set(key, position);
    this.#keys.set(position, key);
  }

  removed(position: number): void {
    const key = this.#keys.get(position);
    if (key === undefined) return;
    this.#keys.delete(position);
    this.#count.removed();
    if (this.#positions.get(key) === position) this.#positions.delete(key);
  }

  /** Reads the keys of the messages from before the broker started. */
  async load(settings: DeduplicationSettings): Promise<void> {
    const backlog = this.#backlog;
    const positions: number[] = [];
    backlog.forEachReady((position) => positions.push(position));
    for (const position of positions) {
      while (backlog.has(position) && !backlog.isInMemory(position)) {
        await new Promise<void>((resolve) => backlog.load(position, resolve));
      }
      const key = backlog.has(position) && messageKey(backlog.read(position), settings);
      if (key) this.add(key, position);
    }
  }

  end(): void {
    this.#count.removed(this.#keys.size);
    this.#positions.clear();
    this.#keys.clear();
  }
}
