/**
 * How many publishes are confirmed. Confirms may come one by one and out of order, or for all up to
 * one.
 */
export class ConfirmLedger {
  /** Refused by the broker, with basic.nack. */
  nacks = 0;
  /** How many answers there were, each for one publish or for several. */
  answers = 0;
  /** All tags up to this one are confirmed. */
  #floor = 0;
  readonly #above = new Set<number>();

  get count(): number {
    return this.#floor + this.#above.size;
  }

  take(tag: number, multiple: boolean, isNack: boolean): void {
    this.answers++;
    if (isNack) this.nacks++;
    if (multiple) {
      if (tag > this.#floor) this.#floor = tag;
      for (const one of this.#above) if (one <= tag) this.#above.delete(one);
    } else if (tag > this.#floor) {
      this.#above.add(tag);
    }
    while (this.#above.delete(this.#floor + 1)) this.#floor++;
  }
}
