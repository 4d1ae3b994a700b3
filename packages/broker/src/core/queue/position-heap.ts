/** Numbers of which the smallest comes out first: a binary heap. */
export class PositionHeap {
  #heap: number[] = [];

  get size(): number {
    return this.#heap.length;
  }

  push(position: number): void {
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

  /** Removes a number from wherever it is. */
  delete(position: number): void {
    const others = this.#heap.filter((each) => each !== position);
    this.#heap = [];
    for (const each of others) this.push(each);
  }

  /** Removes the smallest number; there must be one. */
  pop(): number {
    const heap = this.#heap;
    const smallest = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return smallest;
  }

  clear(): void {
    this.#heap = [];
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
