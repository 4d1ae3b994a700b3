import type { Clock } from '../../base/clock.js';

/** After how long a write that has failed is tried again, in milliseconds. */
const RETRY_MILLISECONDS = 500;

/** The time between two attempts to write, for as long as it is not cut short. */
export class RetryPause {
  readonly #clock: Clock;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(RETRY_MILLISECONDS, resolve);
      this.#end = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#end = undefined;
  }

  /** Whoever waits goes on now. */
  cutShort(): void {
    this.#end?.();
  }
}
