import type { Binding } from './router.js';

/**
 * Bindings in an order of their own, so that the same bindings make the same row whichever was
 * there first: by key, then by destination.
 */
export class BindingRow {
  readonly #row: Binding[] = [];

  get length(): number {
    return this.#row.length;
  }

  at(index: number): Binding | undefined {
    return this.#row[index];
  }

  add(binding: Binding): void {
    const after = this.#row.findIndex((each) => isBefore(binding, each));
    this.#row.splice(after < 0 ? this.#row.length : after, 0, binding);
  }

  remove(binding: Binding): void {
    const index = this.#row.indexOf(binding);
    if (index >= 0) this.#row.splice(index, 1);
  }
}

function isBefore(a: Binding, b: Binding): boolean {
  if (a.routingKey !== b.routingKey) return a.routingKey < b.routingKey;
  return a.destination.name < b.destination.name;
}
