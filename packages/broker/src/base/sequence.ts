/** Slots in a chunk: small enough that one old survivor holds little, large enough to be rare. */
const CHUNK_SLOTS = 512;
const CHUNK_MASK = CHUNK_SLOTS - 1;

interface Chunk<T> {
  readonly slots: (T | undefined)[];
  live: number;
}

/**
 * Values under consecutive numbers, added at the end and removed anywhere: messages by position in
 * a queue, deliveries by tag in a channel.
 *
 * It is a row of chunks; one is dropped when its last value goes, so that a single old value holds
 * a chunk and not everything after it. In the usual first-in, first-out order, adding and removing
 * touch only the newest and the oldest chunk, and allocate nothing but a chunk each 512 values.
 */
export class Sequence<T> {
  /** By number / CHUNK_SLOTS. */
  readonly #chunks = new Map<number, Chunk<T>>();
  #newest: Chunk<T> | undefined;
  #oldest: Chunk<T> | undefined;
  #oldestIndex = -1;
  #spare: Chunk<T> | undefined;
  #next: number;
  #size = 0;

  /** `first`: the number the first value gets. */
  constructor(first: number) {
    this.#next = first;
  }

  /** How many values there are. */
  get size(): number {
    return this.#size;
  }

  /** The number the next value will get. */
  get next(): number {
    return this.#next;
  }

  /** Adds a value at the end and returns its number. */
  push(value: T): number {
    const number = this.#next++;
    let chunk = this.#newest;
    if (chunk === undefined || (number & CHUNK_MASK) === 0) chunk = this.#addChunk(number);
    chunk.slots[number & CHUNK_MASK] = value;
    chunk.live++;
    this.#size++;
    return number;
  }

  /** Uses up a number without a value, and returns it. */
  skip(): number {
    const number = this.#next++;
    if ((number & CHUNK_MASK) === 0) this.#newest = undefined;
    else if ((this.#next & CHUNK_MASK) === 0) this.#leaveNewest(number);
    return number;
  }

  /** Puts a value back under a number that was used before and has none now. */
  restore(number: number, value: T): void {
    let chunk = this.#chunkOf(number);
    if (chunk === undefined) {
      chunk = { slots: new Array<T | undefined>(CHUNK_SLOTS), live: 0 };
      this.#chunks.set(Math.floor(number / CHUNK_SLOTS), chunk);
    }
    chunk.slots[number & CHUNK_MASK] = value;
    chunk.live++;
    this.#size++;
  }

  /** The smallest number that has a value, or `next` if there is none. */
  first(): number {
    let oldest = this.#next;
    for (const index of this.#chunks.keys()) oldest = Math.min(oldest, index * CHUNK_SLOTS);
    return this.firstFrom(oldest);
  }

  /** The value under a number, if there is one. */
  get(number: number): T | undefined {
    return this.#chunkOf(number)?.slots[number & CHUNK_MASK];
  }

  /** Removes the value under a number and returns it. */
  delete(number: number): T | undefined {
    const chunk = this.#chunkOf(number);
    if (chunk === undefined) return undefined;
    const slot = number & CHUNK_MASK;
    const value = chunk.slots[slot];
    if (value === undefined) return undefined;
    chunk.slots[slot] = undefined;
    this.#size--;
    if (--chunk.live === 0) this.#dropChunk(number, chunk);
    return value;
  }

  /** The smallest number >= `from` that has a value, or `next` if there is none. */
  firstFrom(from: number): number {
    let number = from;
    while (number < this.#next) {
      const chunk = this.#chunkOf(number);
      if (chunk === undefined) {
        number = (Math.floor(number / CHUNK_SLOTS) + 1) * CHUNK_SLOTS;
        continue;
      }
      if (chunk.slots[number & CHUNK_MASK] !== undefined) return number;
      number++;
    }
    return this.#next;
  }

  /** Calls `visit` for each value in order of number. Values may be deleted meanwhile. */
  forEach(visit: (value: T, number: number) => void): void {
    for (const index of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) continue;
      for (let slot = 0; slot < CHUNK_SLOTS; slot++) {
        const value = chunk.slots[slot];
        if (value !== undefined) visit(value, index * CHUNK_SLOTS + slot);
      }
    }
  }

  #chunkOf(number: number): Chunk<T> | undefined {
    const index = Math.floor(number / CHUNK_SLOTS);
    if (index === this.#oldestIndex) return this.#oldest;
    if (this.#newest !== undefined && index === Math.floor((this.#next - 1) / CHUNK_SLOTS)) {
      return this.#newest;
    }
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined) {
      // Values go oldest first: the next ones asked for are most likely in this chunk.
      this.#oldest = chunk;
      this.#oldestIndex = index;
    }
    return chunk;
  }

  /** The newest chunk is passed without its last slot being used, so no removal would drop it. */
  #leaveNewest(number: number): void {
    if (this.#newest?.live === 0) this.#dropChunk(number, this.#newest);
    this.#newest = undefined;
  }

  #addChunk(number: number): Chunk<T> {
    const index = Math.floor(number / CHUNK_SLOTS);
    // After numbers without a value the chunk may be there: something was restored in it.
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = this.#spare ?? { slots: new Array<T | undefined>(CHUNK_SLOTS), live: 0 };
      this.#spare = undefined;
      this.#chunks.set(index, chunk);
    }
    this.#newest = chunk;
    return chunk;
  }

  #dropChunk(number: number, chunk: Chunk<T>): void {
    // The newest chunk is still being filled, unless its last slot has been used.
    if (chunk === this.#newest && (this.#next & CHUNK_MASK) !== 0) return;
    const index = Math.floor(number / CHUNK_SLOTS);
    this.#chunks.delete(index);
    if (this.#oldestIndex === index) {
      this.#oldestIndex = -1;
      this.#oldest = undefined;
    }
    if (chunk === this.#newest) this.#newest = undefined;
    this.#spare = chunk;
  }
}
