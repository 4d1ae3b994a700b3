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
  /** Runs `action` once after `milliseconds`. A pending timer never keeps the process alive. */
  after(milliseconds: number, action: () => void): Timer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  after: (milliseconds, action) => {
    const timeout = setTimeout(action, milliseconds).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};
