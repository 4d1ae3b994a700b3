import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';

/** Long enough for a busy machine; only a failing test ever waits for it. */
const patienceMs = 15_000;

/** Collects what a callback is called with, so that a test can wait for it. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #watchers = new Set<() => void>();

  /** Give this as the callback. */
  readonly put = (item: T): void => {
    this.#items.push(item);
    for (const watcher of this.#watchers) watcher();
  };

  /** What came so far. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** Waits until at least so many came, and gives them all. */
  async atLeast(count: number): Promise<readonly T[]> {
    await this.#until(() => this.#items.length >= count, `${count}`);
    return this.#items;
  }

  /** Waits for the first. */
  async first(): Promise<T> {
    const [item] = await this.atLeast(1);
    return item!;
  }

  /** Waits for the first that the predicate accepts. */
  async where(accepts: (item: T) => boolean): Promise<T> {
    await this.#until(() => this.#items.some(accepts), 'an accepted one');
    return this.#items.find(accepts)!;
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return;
    let watcher = (): void => undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        watcher = () => {
          if (holds()) resolve();
        };
        this.#watchers.add(watcher);
        timer = setTimeout(() => reject(this.#missing(what)), patienceMs);
      });
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    }
  }

  #missing(what: string): Error {
    const message = `waited for ${what}, got ${this.#items.length}: ${inspect(this.#items)}`;
    return new AssertionError({ message });
  }
}
