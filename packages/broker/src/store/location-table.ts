/** Positions in a chunk. */
const CHUNK = 512;
const MASK = CHUNK - 1;

interface Chunk {
  readonly locations: Float64Array;
  live: number;
}

/** Where a message is, if not at a place in the journal. */
export const NOWHERE = 0;
/** In memory, and in a batch that has not been given its place yet. */
export const PENDING = -1;
/** In memory only: it is not persistent. */
export const MEMORY_ONLY = -2;
/** Alive, but where is not known yet; only while a journal is being read. */
export const UNKNOWN = -3;
/** As PENDING, but written only to make room in memory: it does not survive the broker. */
export const PENDING_TRANSIENT = -4;

/** The location of a message that lies at a place in the journal without surviving the broker. */
export function transientAt(place: number): number {
  return -place;
}

/** The place in the journal that a location stands for; 0 if it stands for none. */
export function placeOf(location: number): number {
  if (location > 0) return location;
  return location < PENDING_TRANSIENT ? -location : 0;
}

/** Whether a message survives the broker, now or as soon as it has been written. */
export function survives(location: number): boolean {
  return location > 0 || location === PENDING || location === UNKNOWN;
}

/**
 * Where each message of a chain is, by position: eight octets a message, and nothing for those that
 * are gone. All that a broker remembers of a message deep in a queue is its entry here.
 */
export class LocationTable {
  readonly #chunks = new Map<number, Chunk>();
  #next: number;
  #count = 0;

  /** `next`: the first position to be used. */
  constructor(next: number) {
    this.#next = next;
  }

  /** The position that will be used next. */
  get next(): number {
    return this.#next;
  }

  /** How many positions hold a message. */
  get count(): number {
    return this.#count;
  }

  /** Uses the next position; `location` is a place or one of the constants, not NOWHERE. */
  push(location: number): number {
    const position = this.#next++;
    this.#put(position, location);
    return position;
  }

  /** Leaves positions below `next` unused. */
  skipTo(next: number): void {
    if (next > this.#next) this.#next = next;
  }

  get(position: number): number {
    return this.#chunks.get(Math.floor(position / CHUNK))?.locations[position & MASK] ?? NOWHERE;
  }

  /** Sets the location of a position that holds a message, or makes one hold a message again. */
  set(position: number, location: number): void {
    const chunk = this.#chunks.get(Math.floor(position / CHUNK));
    if (chunk === undefined || chunk.locations[position & MASK] === NOWHERE) {
      this.#put(position, location);
    } else {
      chunk.locations[position & MASK] = location;
    }
  }

  /** Empties a position; returns what it held. */
  delete(position: number): number {
    const index = Math.floor(position / CHUNK);
    const chunk = this.#chunks.get(index);
    const location = chunk?.locations[position & MASK] ?? NOWHERE;
    if (chunk === undefined || location === NOWHERE) return NOWHERE;
    chunk.locations[position & MASK] = NOWHERE;
    this.#count--;
    if (--chunk.live === 0) this.#chunks.delete(index);
    return location;
  }

  /** The smallest position >= `from` that holds a message, or `next`. */
  firstFrom(from: number): number {
    let position = from;
    while (position < this.#next) {
      const chunk = this.#chunks.get(Math.floor(position / CHUNK));
      if (chunk === undefined) {
        position = this.#afterGap(position);
        continue;
      }
      if (chunk.locations[position & MASK] !== NOWHERE) return position;
      position++;
    }
    return this.#next;
  }

  /** Calls `visit` for every position that holds a message, in order. */
  forEach(visit: (position: number, location: number) => void): void {
    for (const index of this.#sortedIndexes()) {
      const chunk = this.#chunks.get(index);
      if (chunk === undefined) continue;
      for (let slot = 0; slot < CHUNK; slot++) {
        const location = chunk.locations[slot]!;
        if (location !== NOWHERE) visit(index * CHUNK + slot, location);
      }
    }
  }

  #put(position: number, location: number): void {
    const index = Math.floor(position / CHUNK);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = { locations: new Float64Array(CHUNK), live: 0 };
      this.#chunks.set(index, chunk);
    }
    chunk.locations[position & MASK] = location;
    chunk.live++;
    this.#count++;
  }

  /** The first position after one without a chunk that has one; gaps may be long, chunks few. */
  #afterGap(position: number): number {
    const index = Math.floor(position / CHUNK);
    const last = Math.floor((this.#next - 1) / CHUNK);
    if (last - index < 16) return (index + 1) * CHUNK;
    let nearest = last + 1;
    for (const each of this.#chunks.keys()) if (each > index && each < nearest) nearest = each;
    return nearest * CHUNK;
  }

  #sortedIndexes(): number[] {
    return [...this.#chunks.keys()].sort((a, b) => a - b);
  }
}
