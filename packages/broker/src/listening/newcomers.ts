import { LinkedList, type Place } from '../base/lists/linked-list.js';
import type { Logger } from '../base/logger.js';

/** What goes with a {@link Newcomers}. */
export interface NewcomersPorts<T> {
  /** How many there may be. */
  readonly max: number;
  readonly turnAway: (newcomer: T) => void;
  readonly logger: Logger;
  /** What they are doing, for the log: `a TLS handshake`. */
  readonly doing: string;
}

/**
 * Those who have begun something and are not done. If there are too many, the one that has been at
 * it longest is turned away: who means it is done soon, and gets by however many do not.
 */
export class Newcomers<T> {
  readonly #ports: NewcomersPorts<T>;
  /** In the order in which they came. */
  readonly #all = new LinkedList<T>();
  #isCrowded = false;

  constructor(ports: NewcomersPorts<T>) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#all.size;
  }

  add(newcomer: T): Place<T> {
    const { max, turnAway } = this.#ports;
    const oldest = this.#all.size < max ? undefined : this.#all.first;
    const place = this.#all.add(newcomer);
    const tooLong = oldest?.value;
    if (oldest !== undefined && tooLong !== undefined) {
      this.#warn();
      this.#all.delete(oldest);
      turnAway(tooLong);
    }
    return place;
  }

  /** One is done, or gone. */
  delete(place: Place<T>): void {
    this.#all.delete(place);
    if (this.#all.size <= this.#ports.max / 2) this.#isCrowded = false;
  }

  turnAllAway(): void {
    for (const newcomer of this.#all.values()) this.#ports.turnAway(newcomer);
  }

  /** Once, until there are far fewer: whoever floods us is not to flood the log. */
  #warn(): void {
    if (this.#isCrowded) return;
    this.#isCrowded = true;
    const { max, logger, doing } = this.#ports;
    logger.warn(`${max} peers are in ${doing}: for each one more the oldest is cut off`);
  }
}
