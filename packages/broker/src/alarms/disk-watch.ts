import type { Clock, Timer } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Files } from '../store/disk/files.js';
import type { ResourceAlarms } from './resource-alarms.js';

/** How often it is looked, in milliseconds. */
const LOOK_MILLISECONDS = 1_000;

/** How much more than the limit there has to be before the alarm ends, as a factor. */
const ENOUGH = 1.2;

/** What there is to watch. */
export interface DiskWatchOptions {
  readonly directory: string;
  /** Free octets below which publishers wait. */
  readonly freeBytesMin: number;
}

/** What writes to the disk. */
export interface DiskUser {
  /** Whether what should be written cannot be, however much room there seems to be. */
  readonly isShort: boolean;
  /** Gives back what it can do without: asked for again and again while there is little room. */
  makeRoom(): void;
}

/** Looks from time to time how much room there is on the disk, and whether it can be written. */
export class DiskWatch {
  readonly #options: DiskWatchOptions;
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #alarms: ResourceAlarms;
  readonly #user: DiskUser;
  #isLow = false;
  #isBlind = false;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(
    options: DiskWatchOptions,
    ports: { readonly files: Files; readonly clock: Clock; readonly logger: Logger },
    alarms: ResourceAlarms,
    user: DiskUser,
  ) {
    this.#options = options;
    this.#files = ports.files;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#alarms = alarms;
    this.#user = user;
    this.#lookLater();
  }

  stop(): void {
    this.#isOver = true;
    this.#timer?.cancel();
  }

  #lookLater(): void {
    if (this.#isOver) return;
    this.#timer = this.#clock.after(LOOK_MILLISECONDS, () => {
      this.#files.freeBytes(this.#options.directory).then(
        (freeBytes) => this.#saw(freeBytes),
        (error: unknown) => this.#sawNothing(error),
      );
    });
  }

  #saw(freeBytes: number): void {
    const { freeBytesMin } = this.#options;
    this.#isLow = freeBytes < freeBytesMin * (this.#isLow ? ENOUGH : 1);
    const isShort = this.#isLow || this.#user.isShort;
    if (this.#isLow && !this.#isOver) this.#user.makeRoom();
    if (!this.#isOver) this.#alarms.set('disk', isShort, { freeBytes, freeBytesMin });
    this.#lookLater();
  }

  /** As in RabbitMQ, a disk that does not say how full it is counts as one that has room. */
  #sawNothing(error: unknown): void {
    if (!this.#isBlind) {
      this.#logger.warn('cannot find out how much room there is on the disk', { error });
    }
    this.#isBlind = true;
    this.#lookLater();
  }
}
