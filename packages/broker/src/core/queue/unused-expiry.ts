import type { Alarm, Deadlines } from '../../base/deadlines.js';

/**
 * When a queue that nobody uses goes: the argument `x-expires`. The time runs from its last use
 * (declared, got from, last consumer gone) and stands still while it has consumers.
 */
export class UnusedExpiry {
  readonly #deadlines: Deadlines;
  readonly #milliseconds: number;
  readonly #alarm: Alarm;

  /** Counts from now. `expired` is called when the queue has to go. */
  constructor(deadlines: Deadlines, milliseconds: number, expired: () => void) {
    this.#deadlines = deadlines;
    this.#milliseconds = milliseconds;
    this.#alarm = deadlines.alarm(expired);
  }

  /** The queue has been used, and has no consumers: the time runs from now. */
  used(): void {
    this.#alarm.set(this.#deadlines.now() + this.#milliseconds);
  }

  /** The queue has consumers now, or is gone. */
  stop(): void {
    this.#alarm.clear();
  }
}
