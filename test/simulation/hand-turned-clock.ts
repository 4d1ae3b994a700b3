import type { Clock, Timer } from '@leveret/broker';

/** Some day in 2026, in milliseconds since 1970. */
const WALL_TIME_BEGIN = 1_790_000_000_000;

interface Pending {
  readonly due: number;
  readonly action: () => void;
}

/** A clock that stands still until it is turned: timers fire when a test says so. */
export class HandTurnedClock implements Clock {
  readonly #wallTimeBegin: number;
  #now = 0;
  readonly #pending = new Set<Pending>();

  /** The wall time it begins at; its other time begins at 0. Default: some day in 2026. */
  constructor(wallTimeBegin: number = WALL_TIME_BEGIN) {
    this.#wallTimeBegin = wallTimeBegin;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#wallTimeBegin + this.#now;
  }

  after(milliseconds: number, action: () => void): Timer {
    const pending: Pending = { due: this.#now + milliseconds, action };
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  /** Lets time pass: what comes due on the way is done, in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#now = next.due;
      next.action();
    }
    this.#now = end;
  }

  #next(end: number): Pending | undefined {
    let first: Pending | undefined;
    for (const each of this.#pending) {
      if (each.due <= end && (first === undefined || each.due < first.due)) first = each;
    }
    return first;
  }
}
