import type { Deadlines } from '../../base/deadlines.js';
import { invariant } from '../../base/invariant.js';
import { Sequence } from '../../base/sequence.js';
import type { MessageStore } from '../../store/message-store.js';
import { Expiry } from '../queue/expiry.js';
import type { KeyCount } from './key-count.js';
import type { KeyMemory } from './key-memory.js';
import type { MessageKey } from './message-key.js';
import type { DeduplicationSettings } from './settings.js';
import { StoredKey } from './stored-key.js';

/**
 * The last keys that were seen: so many at most, for so long at most, the oldest go first. A key
 * that is seen again keeps its place and its time. Keys are numbered as they come; where the window
 * survives the broker, the number is the position of a tiny message that stands for the key in a
 * chain of the journal, written in one batch with the message that brought it.
 */
export class DeduplicationWindow implements KeyMemory {
  readonly #deadlines: Deadlines;
  readonly #store: MessageStore<StoredKey> | undefined;
  readonly #count: KeyCount;
  readonly #positions = new Map<string, number>();
  readonly #keys: Sequence<string>;
  readonly #expiry: Expiry;
  /** No key lies before this position. */
  #oldest = 0;
  #settings: DeduplicationSettings;

  /** `store`: where keys are kept that are to survive; {@link load} brings back what is there. */
  constructor(
    settings: DeduplicationSettings,
    deadlines: Deadlines,
    count: KeyCount,
    store: MessageStore<StoredKey> | undefined,
  ) {
    this.#count = count;
    this.#settings = settings;
    this.#deadlines = deadlines;
    this.#store = store;
    this.#keys = new Sequence(store?.next ?? 0);
    this.#expiry = new Expiry(deadlines, 1, (position) => {
      this.#forget(position);
      return true;
    });
    if (store !== undefined) store.onLost = (position) => this.#lost(position);
  }

  get size(): number {
    return this.#positions.size;
  }

  /** What is too much for new settings goes when the next key comes. */
  apply(settings: DeduplicationSettings): void {
    this.#settings = settings;
  }

  has(key: string): boolean {
    const position = this.#positions.get(key);
    if (position === undefined) return false;
    if (!this.#expiry.isOverdue(position)) return true;
    this.#forget(position);
    return false;
  }

  add({ key, ttlMilliseconds }: MessageKey, _position: number, persistent: boolean): void {
    const lifetime = ttlMilliseconds ?? this.#settings.ttlMilliseconds ?? Number.POSITIVE_INFINITY;
    if (lifetime === 0 || this.has(key)) return;
    while (this.#positions.size >= this.#settings.size) this.#forget(this.#first());
    if (this.#count.isFull && this.#positions.size > 0) this.#forget(this.#first());
    const position = this.#keys.push(key);
    const expiresAt = this.#deadlines.wallTime() + lifetime;
    const stored = this.#store?.append(new StoredKey(key, expiresAt, persistent)) ?? position;
    invariant(stored === position, 'a window and its chain count differently');
    this.#note(key, position, lifetime);
  }

  /** Keys stay when messages go: that is what a window is for. */
  removed(): void {}

  /** Brings back the keys from before the broker started. */
  async load(): Promise<void> {
    const store = this.#store;
    if (store === undefined) return;
    const wallTime = this.#deadlines.wallTime();
    let position = store.firstFrom(0);
    for (; position < store.next; position = store.firstFrom(position + 1)) {
      const at = position;
      while (store.firstFrom(at) === at && !store.isInMemory(at)) {
        await new Promise<void>((resolve) => store.load(at, resolve));
      }
      if (store.firstFrom(at) !== at) continue;
      const { key, expiresAt } = store.read(at);
      if (expiresAt <= wallTime) {
        store.remove(at);
        continue;
      }
      this.#keys.restore(at, key);
      this.#note(key, at, expiresAt - wallTime);
    }
  }

  /** What it belongs to has gone. */
  end(): void {
    this.#count.removed(this.#positions.size);
    this.#positions.clear();
    this.#expiry.clear();
    this.#store?.clear();
  }

  #note(key: string, position: number, lifetime: number): void {
    this.#positions.set(key, position);
    this.#count.added();
    if (lifetime !== Number.POSITIVE_INFINITY) {
      this.#expiry.add(position, this.#deadlines.now() + lifetime);
    }
  }

  /** Position of the oldest key; there must be one. */
  #first(): number {
    this.#oldest = this.#keys.firstFrom(this.#oldest);
    return this.#oldest;
  }

  #forget(position: number): void {
    this.#lost(position);
    this.#store?.remove(position);
  }

  /** A key has gone from wherever it was kept. */
  #lost(position: number): void {
    const key = this.#keys.delete(position);
    if (key === undefined) return;
    if (this.#positions.delete(key)) this.#count.removed();
    this.#expiry.removed(position);
  }
}
