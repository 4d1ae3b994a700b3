/**
 * Runs tasks one after the other. Hashing a password takes one of libuv's four threads, which the
 * journal needs, too: however many want to log in, the others are the journal's.
 */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Tasks that have not ended. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Runs a task when all before it have ended, however they did. */
  async run<T>(task: () => T | Promise<T>): Promise<T> {
    const before = this.#last;
    let ended = (): void => {};
    this.#last = new Promise<void>((resolve) => {
      ended = resolve;
    });
    this.#waiting++;
    try {
      await before;
      return await task();
    } finally {
      this.#waiting--;
      ended();
    }
  }
}
