import type { Clock } from '../base/clock.js';

/** Logins that may fail from an address one after the other before the next has to wait. */
const BURST = 20;

/** How long one failed login counts, in milliseconds. */
const FORGIVEN_AFTER_MILLISECONDS = 1_000;

/** Addresses that are remembered; beyond that the one that failed first is forgotten. */
const ADDRESSES_MAX = 10_000;

/**
 * Counts failed logins by address: who guesses passwords gets {@link BURST} guesses, and one a
 * second from then on. A program that has an old password and tries again now and then is not
 * meant.
 */
export class FailedLogins {
  readonly #clock: Clock;
  /** By address, when all its failures will be forgiven. */
  readonly #forgivenAt = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether so many logins from an address have failed that the next is not even looked at. */
  isTooMany(address: string): boolean {
    const forgivenAt = this.#forgivenAt.get(address) ?? 0;
    return forgivenAt - this.#clock.now() > (BURST - 1) * FORGIVEN_AFTER_MILLISECONDS;
  }

  failed(address: string): void {
    const now = this.#clock.now();
    const from = Math.max(this.#forgivenAt.get(address) ?? 0, now);
    // Put behind the others: what failed longest ago is first.
    this.#forgivenAt.delete(address);
    this.#forgivenAt.set(address, from + FORGIVEN_AFTER_MILLISECONDS);
    for (const [first, forgivenAt] of this.#forgivenAt) {
      if (forgivenAt > now && this.#forgivenAt.size <= ADDRESSES_MAX) break;
      this.#forgivenAt.delete(first);
    }
  }
}
