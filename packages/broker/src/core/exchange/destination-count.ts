import type { Destination } from './router.js';

/** Destinations with the number of bindings that lead to each: several may, by their arguments. */
export class DestinationCount {
  readonly #counts = new Map<Destination, number>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(destination: Destination): void {
    this.#counts.set(destination, (this.#counts.get(destination) ?? 0) + 1);
  }

  remove(destination: Destination): void {
    const count = this.#counts.get(destination) ?? 0;
    if (count > 1) this.#counts.set(destination, count - 1);
    else this.#counts.delete(destination);
  }

  addAllTo(into: Set<Destination>): void {
    for (const destination of this.#counts.keys()) into.add(destination);
  }
}
