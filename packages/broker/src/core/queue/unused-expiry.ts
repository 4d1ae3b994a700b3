import type { Alarm, Deadlines } from '../../base/deadlines.js';
import type { QueueSettings } from './settings.js';

/**
 * When a queue that nobody uses goes: the argument `x-expires`. The time runs from its last use
 * (declared, got from, last consumer gone) and stands still while it has consumers.
 */
export class UnusedExpiry {
  readonly #deadlines: Deadlines;
  readonly #milliseconds: number;
  readonly #alarm: Alarm;

  private constructor(deadlines: Deadlines, milliseconds: number, expired: () => void) {
    this.#deadlines = deadlines;
    this.#milliseconds = milliseconds;
    this.#alarm = deadlines.alarm(expired);
  }

  /** By a queue's settings; undefined if it stays. `expired` is called when it has to go. */
  static of(
    { expiresMilliseconds }: QueueSettings,
    deadlines: Deadlines,
    expired: () => void,
  ): UnusedExpiry | undefined {
    if (expiresMilliseconds === undefined) return undefined;
    return new UnusedExpiry(deadlines, expiresMilliseconds, expired);
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
