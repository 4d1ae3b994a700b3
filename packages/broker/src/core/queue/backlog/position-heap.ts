/** Fewer deleted numbers than this are not worth tidying up. */
const TIDY_NUMBERS_MIN = 1_024;

/** Different numbers of which the smallest comes out first: a binary heap. */
export class PositionHeap {
  #heap: number[] = [];
  /** Numbers in the heap that have been deleted; the smallest in it is never one of them. */
  readonly #deleted = new Set<number>();

  get size(): number {
    return this.#heap.length - this.#deleted.size;
  }

  push(position: number): void {
    // It may still be there, where it was deleted.
    if (this.#deleted.delete(position)) return;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(position);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= position) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = position;
  }

  /** The smallest number; there must be one. */
  peek(): number {
    return this.#heap[0]!;
  }

  /** Removes a number that is there, wherever it is. */
  delete(position: number): void {
    this.#deleted.add(position);
    this.#skipDeleted();
    const { size } = this.#deleted;
    if (size > TIDY_NUMBERS_MIN && size * 2 > this.#heap.length) this.#tidy();
  }

  /** Removes the smallest number; there must be one. */
  pop(): number {
    const smallest = this.#popFirst();
    if (this.#deleted.size > 0) this.#skipDeleted();
    return smallest;
  }

  /** Calls `visit` for each number, in no particular order. */
  forEach(visit: (position: number) => void): void {
    for (const position of this.#heap) if (!this.#deleted.has(position)) visit(position);
  }

  clear(): void {
    this.#heap = [];
    this.#deleted.clear();
  }

  /** Leaves the deleted out: numbers in order are a heap. */
  #tidy(): void {
    this.#heap = this.#heap.filter((each) => !this.#deleted.has(each)).sort((a, b) => a - b);
    this.#deleted.clear();
  }

  #skipDeleted(): void {
    while (this.#heap.length > 0 && this.#deleted.delete(this.#heap[0]!)) this.#popFirst();
  }

  #popFirst(): number {
    const heap = this.#heap;
    const smallest = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return smallest;
  }

  /** Puts a number in at the top and lets it sink to its place. */
  #sink(position: number): void {
    const heap = this.#heap;
    const { length } = heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= position) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = position;
  }
}
