/** Counts the keys that a broker remembers, whatever remembers them: they are in memory. */
export class KeyCount {
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether there are as many as may be: whoever adds one has to forget another. */
  get isFull(): boolean {
    return this.#count >= this.#max;
  }

  added(): void {
    this.#count++;
  }

  removed(count: number = 1): void {
    this.#count -= count;
  }
}
