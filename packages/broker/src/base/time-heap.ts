/** Room a heap begins with, in entries. */
const CAPACITY_MIN = 64;

/**
 * Numbers by time, the earliest first and of the same time the smallest number: a binary heap in
 * two typed arrays, 16 octets an entry. The numbers are positions in a queue, or delivery tags.
 */
export class TimeHeap {
  #times = new Float64Array(CAPACITY_MIN);
  #numbers = new Float64Array(CAPACITY_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The earliest time; there must be one. */
  get firstTime(): number {
    return this.#times[0]!;
  }

  /** The number whose time is the earliest; there must be one. */
  get firstNumber(): number {
    return this.#numbers[0]!;
  }

  push(time: number, number: number): void {
    if (this.#size === this.#times.length) this.#resize(2 * this.#size);
    this.#rise(this.#size++, time, number);
  }

  /** Removes the earliest; there must be one. */
  pop(): void {
    const last = --this.#size;
    this.#sink(0, this.#times[last]!, this.#numbers[last]!);
    if (this.#size * 4 < this.#times.length) this.#resize(this.#times.length / 2);
  }

  /** Removes every entry whose number is not to be kept. */
  filter(isKept: (number: number) => boolean): void {
    let kept = 0;
    for (let i = 0; i < this.#size; i++) {
      const number = this.#numbers[i]!;
      if (!isKept(number)) continue;
      this.#times[kept] = this.#times[i]!;
      this.#numbers[kept++] = number;
    }
    this.#size = kept;
    for (let i = (kept >> 1) - 1; i >= 0; i--) this.#sink(i, this.#times[i]!, this.#numbers[i]!);
    while (this.#size * 4 < this.#times.length && this.#times.length > CAPACITY_MIN) {
      this.#resize(this.#times.length / 2);
    }
  }

  /** Calls `visit` for every entry, in no order. */
  forEach(visit: (time: number, number: number) => void): void {
    for (let i = 0; i < this.#size; i++) visit(this.#times[i]!, this.#numbers[i]!);
  }

  /** Calls `visit` for the numbers whose time has come by `time`, in no order. */
  forEachUpTo(time: number, visit: (number: number) => void): void {
    const open = [0];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      // What is below an entry is no earlier.
      if (at >= this.#size || this.#times[at]! > time) continue;
      visit(this.#numbers[at]!);
      open.push(2 * at + 1, 2 * at + 2);
    }
  }

  clear(): void {
    this.#size = 0;
    this.#resize(CAPACITY_MIN);
  }

  #resize(capacity: number): void {
    if (capacity < CAPACITY_MIN) return;
    const times = new Float64Array(capacity);
    const numbers = new Float64Array(capacity);
    times.set(this.#times.subarray(0, this.#size));
    numbers.set(this.#numbers.subarray(0, this.#size));
    this.#times = times;
    this.#numbers = numbers;
  }

  #rise(from: number, time: number, number: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(time, number, parent)) break;
      this.#times[at] = this.#times[parent]!;
      this.#numbers[at] = this.#numbers[parent]!;
      at = parent;
    }
    this.#times[at] = time;
    this.#numbers[at] = number;
  }

  #sink(from: number, time: number, number: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const other = child + 1;
      if (other < this.#size && this.#isBefore(this.#times[other]!, this.#numbers[other]!, child))
        child = other;
      if (this.#isBefore(time, number, child)) break;
      this.#times[at] = this.#times[child]!;
      this.#numbers[at] = this.#numbers[child]!;
      at = child;
    }
    this.#times[at] = time;
    this.#numbers[at] = number;
  }

  /** Whether a time and number come before the entry at `index`. */
  #isBefore(time: number, number: number, index: number): boolean {
    const other = this.#times[index]!;
    return time < other || (time === other && number < this.#numbers[index]!);
  }
}
