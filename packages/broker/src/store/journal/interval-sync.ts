import type { Clock, Timer } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { SyncPolicy } from './journal-file.js';

/** Syncs what has been written when the sync policy's interval is over, if it has one. */
export class IntervalSync {
  readonly #policy: SyncPolicy;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sync: () => Promise<void>;
  #timer: Timer | undefined;
  /** The file being written could not be synced: what it holds is not to be relied upon. */
  hasFailed = false;

  /** `sync` syncs the file that is being written. */
  constructor(
    policy: SyncPolicy,
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
    sync: () => Promise<void>,
  ) {
    this.#policy = policy;
    this.#clock = clock;
    this.#logger = logger;
    this.#sync = sync;
  }

  /** Something has been written. */
  written(): void {
    if (typeof this.#policy !== 'object' || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(this.#policy.milliseconds, () => {
      this.#timer = undefined;
      this.#sync().catch((error: unknown) => {
        // A later sync that works proves nothing about what this one has left undone.
        this.hasFailed = true;
        const text = 'cannot sync the journal: what was confirmed in the last interval is in doubt';
        this.#logger.error(text, { error });
      });
    });
  }

  /** Another file is being written from now on. */
  begun(): void {
    this.hasFailed = false;
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
