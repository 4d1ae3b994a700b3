/** A timer that has been set; {@link Timer.cancel} is idempotent. */
export interface Timer {
  cancel(): void;
}

/** Time as the broker sees it; comes in by constructor, so that tests can turn it by hand. */
export interface Clock {
  /** Monotonic time in milliseconds. */
  now(): number;
  /** The time of day, in milliseconds since 1970; it may jump. */
  wallTime(): number;
  /**
   * Runs `action` once after `milliseconds`. A pending timer does not keep the process alive,
   * unless
   * `holdsProcess` says that somebody waits for it.
   */
  after(milliseconds: number, action: () => void, holdsProcess?: boolean): Timer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after: (milliseconds, action, holdsProcess = false) => {
    const timeout = setTimeout(action, milliseconds);
    if (!holdsProcess) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
