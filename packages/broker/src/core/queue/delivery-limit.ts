/**
 * How often messages have come back: the header `x-delivery-count`, and the argument
 * `x-delivery-limit`. Only messages that have come back cost anything.
 */
export class DeliveryLimit {
  readonly #limit: number;
  readonly #counts = new Map<number, number>();

  /** `limit`: how often a message may come back; undefined for any number. */
  constructor(limit: number | undefined) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /** How often a message has come back. */
  count(position: number): number {
    return this.#counts.get(position) ?? 0;
  }

  /** Counts a message that has come back; false if that was once too often. */
  returned(position: number): boolean {
    const count = this.count(position) + 1;
    this.#counts.set(position, count);
    return count <= this.#limit;
  }

  /** A message had come back so often before the broker started. */
  restore(position: number, returns: number): void {
    if (returns > 0) this.#counts.set(position, returns);
  }

  /** A message has gone. */
  removed(position: number): void {
    if (this.#counts.size > 0) this.#counts.delete(position);
  }

  clear(): void {
    this.#counts.clear();
  }

  /** The same counts under another limit. */
  withLimit(limit: number | undefined): DeliveryLimit {
    const changed = new DeliveryLimit(limit);
    for (const [position, count] of this.#counts) changed.#counts.set(position, count);
    return changed;
  }
}
