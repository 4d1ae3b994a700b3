const FIRST_CAPACITY = 64;
/** A list that has grown beyond this does not keep its memory when it is emptied. */
const KEPT_CAPACITY = 65_536;

/**
 * Numbers in a row, of which the memory is used again when it is emptied: an array gives its memory
 * back then, and asks for it again with the next number.
 */
export class NumberList {
  #values = new Float64Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  /** The number at an index below `length`. */
  at(index: number): number {
    return this.#values[index]!;
  }

  clear(): void {
    this.#length = 0;
    if (this.#values.length > KEPT_CAPACITY) this.#values = new Float64Array(FIRST_CAPACITY);
  }
}
