/** Entries in a chunk. */
const CHUNK_SLOTS = 512;

interface Chunk {
  readonly values: Float64Array;
  readonly states: Uint8Array;
  live: number;
}

/**
 * A number and a state for each of many positions in a queue, without an object for any of them: 9
 * octets a position, in chunks that come with their first position and go with their last.
 *
 * Positions count up in steps of `stride`: a priority queue's are interleaved level by level, and
 * each level has chunks of its own here.
 */
export class PositionTable {
  readonly #stride: number;
  readonly #chunks = new Map<number, Chunk>();
  /** The chunk used last: the next position is most often in it too. */
  #recent: Chunk | undefined;
  #recentKey = -1;
  #size = 0;

  constructor(stride: number) {
    this.#stride = stride;
  }

  /** How many positions have an entry. */
  get size(): number {
    return this.#size;
  }

  /** A position's state; 0 if it has no entry. */
  state(position: number): number {
    return this.#chunk(position)?.states[this.#slot(position)] ?? 0;
  }

  /** The number of a position that has an entry. */
  value(position: number): number {
    return this.#chunk(position)?.values[this.#slot(position)] ?? Number.NaN;
  }

  /** Makes an entry for a position that has none; `state` is not 0. */
  add(position: number, value: number, state: number): void {
    let chunk = this.#chunk(position);
    if (chunk === undefined) {
      const values = new Float64Array(CHUNK_SLOTS);
      chunk = { values, states: new Uint8Array(CHUNK_SLOTS), live: 0 };
      this.#chunks.set(this.#key(position), chunk);
      this.#recent = chunk;
      this.#recentKey = this.#key(position);
    }
    const slot = this.#slot(position);
    chunk.values[slot] = value;
    chunk.states[slot] = state;
    chunk.live++;
    this.#size++;
  }

  /** Changes the state of a position that has an entry, to one that is not 0. */
  setState(position: number, state: number): void {
    const chunk = this.#chunk(position);
    if (chunk !== undefined) chunk.states[this.#slot(position)] = state;
  }

  /** Removes a position's entry, if it has one. */
  delete(position: number): void {
    const chunk = this.#chunk(position);
    const slot = this.#slot(position);
    if (chunk === undefined || chunk.states[slot] === 0) return;
    chunk.states[slot] = 0;
    this.#size--;
    if (--chunk.live > 0) return;
    this.#chunks.delete(this.#key(position));
    this.#recent = undefined;
    this.#recentKey = -1;
  }

  clear(): void {
    this.#chunks.clear();
    this.#recent = undefined;
    this.#recentKey = -1;
    this.#size = 0;
  }

  #chunk(position: number): Chunk | undefined {
    const key = this.#key(position);
    if (key === this.#recentKey) return this.#recent;
    const chunk = this.#chunks.get(key);
    if (chunk !== undefined) {
      this.#recent = chunk;
      this.#recentKey = key;
    }
    return chunk;
  }

  #slot(position: number): number {
    return Math.floor(position / this.#stride) % CHUNK_SLOTS;
  }

  #key(position: number): number {
    const level = position % this.#stride;
    return Math.floor(position / this.#stride / CHUNK_SLOTS) * this.#stride + level;
  }
}
