import { invariant } from '../base/invariant.js';

/** Positions in a chunk. */
const CHUNK = 512;
const MASK = CHUNK - 1;
/** A location and a length. */
const ENTRY_BYTES = 12;

/** How many free chunks are kept. */
const KEPT_MAX = 64;

interface Chunk {
  readonly locations: Float64Array;
  readonly bodyBytes: Uint32Array;
  live: number;
  /** All of it has been found to survive, and nothing of it has gone since. */
  isWhole: boolean;
}

/**
 * Chunks that are free, for tables to use again: a queue that is empty now and then, as most are,
 * would ask for new memory each time.
 */
export class FreeChunks {
  readonly #chunks: Chunk[] = [];

  take(): Chunk {
    const free = this.#chunks.pop();
    if (free !== undefined) return free;
    const memory = new ArrayBuffer(CHUNK * ENTRY_BYTES);
    const locations = new Float64Array(memory, 0, CHUNK);
    const bodyBytes = new Uint32Array(memory, locations.byteLength);
    return { locations, bodyBytes, live: 0, isWhole: false };
  }

  /** Takes back a chunk in which every position is empty. */
  giveBack(chunk: Chunk): void {
    if (this.#chunks.length < KEPT_MAX) this.#chunks.push(chunk);
  }
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
 * Where each message of a chain is, by position, and how long its body is: twelve octets a message,
 * and nothing for those that are gone. All that a broker remembers of a message deep in a queue is
 * its entry here; the length is there for the queue's own to be limited.
 */
export class LocationTable {
  readonly #free: FreeChunks;
  readonly #chunks = new Map<number, Chunk>();
  /** The chunk asked for last, and its index: the next position is most often in it too. */
  #recent: Chunk | undefined;
  #recentIndex = -1;
  #next: number;
  #count = 0;

  /** `next`: the first position to be used; `free` may be shared with other tables. */
  constructor(next: number, free: FreeChunks = new FreeChunks()) {
    this.#next = next;
    this.#free = free;
  }

  /** The position that will be used next. */
  get next(): number {
    return this.#next;
  }

  /** How many positions hold a message. */
  get count(): number {
    return this.#count;
  }

  /**
   * Uses the next position; `location` is a place or one of the constants, not NOWHERE, `bodyBytes`
   * are octets.
   */
  push(location: number, bodyBytes: number): number {
    const position = this.#next++;
    this.#put(position, location, bodyBytes);
    return position;
  }

  /** Leaves positions below `next` unused. */
  skipTo(next: number): void {
    if (next > this.#next) this.#next = next;
  }

  get(position: number): number {
    return this.#chunk(Math.floor(position / CHUNK))?.locations[position & MASK] ?? NOWHERE;
  }

  /** Octets of the body of the message at a position; 0 if there is none, or it is UNKNOWN. */
  bodyBytes(position: number): number {
    return this.#chunk(Math.floor(position / CHUNK))?.bodyBytes[position & MASK] ?? 0;
  }

  /** Changes the location of a position that holds a message. */
  set(position: number, location: number): void {
    const chunk = this.#chunk(Math.floor(position / CHUNK));
    invariant(chunk !== undefined, 'a location was set of a message that is not there');
    chunk.locations[position & MASK] = location;
    if (!survives(location)) chunk.isWhole = false;
  }

  /** Says where a message is of which only that was UNKNOWN; returns whether there is one. */
  find(position: number, location: number, bodyBytes: number): boolean {
    const chunk = this.#chunk(Math.floor(position / CHUNK));
    const slot = position & MASK;
    if (chunk === undefined || chunk.locations[slot] !== UNKNOWN) return false;
    chunk.locations[slot] = location;
    chunk.bodyBytes[slot] = bodyBytes;
    if (!survives(location)) chunk.isWhole = false;
    return true;
  }

  /** Notes that there is a message at each of so many positions, which is UNKNOWN if it is news. */
  expect(from: number, count: number): void {
    const end = from + count;
    for (let position = from; position < end; ) {
      const index = Math.floor(position / CHUNK);
      const chunk = this.#chunkFor(index);
      const before = chunk.live;
      for (const last = Math.min(end, (index + 1) * CHUNK); position < last; position++) {
        const slot = position & MASK;
        if (chunk.locations[slot] !== NOWHERE) continue;
        chunk.locations[slot] = UNKNOWN;
        chunk.live++;
      }
      this.#count += chunk.live - before;
    }
  }

  /** Puts a message where it was, whether or not it is known already that there is one. */
  restore(position: number, location: number, bodyBytes: number): void {
    const chunk = this.#chunk(Math.floor(position / CHUNK));
    if (chunk === undefined || chunk.locations[position & MASK] === NOWHERE) {
      this.#put(position, location, bodyBytes);
      return;
    }
    chunk.locations[position & MASK] = location;
    chunk.bodyBytes[position & MASK] = bodyBytes;
    if (!survives(location)) chunk.isWhole = false;
  }

  /** Empties a position; returns what it held. */
  delete(position: number): number {
    const index = Math.floor(position / CHUNK);
    const chunk = this.#chunk(index);
    const location = chunk?.locations[position & MASK] ?? NOWHERE;
    if (chunk === undefined || location === NOWHERE) return NOWHERE;
    chunk.locations[position & MASK] = NOWHERE;
    chunk.bodyBytes[position & MASK] = 0;
    chunk.isWhole = false;
    this.#count--;
    if (--chunk.live === 0) {
      this.#chunks.delete(index);
      this.#free.giveBack(chunk);
      this.#recent = undefined;
      this.#recentIndex = -1;
    }
    return location;
  }

  /** The smallest position >= `from` that holds a message, or `next`. */
  firstFrom(from: number): number {
    let position = from;
    while (position < this.#next) {
      const chunk = this.#chunk(Math.floor(position / CHUNK));
      if (chunk === undefined) {
        position = this.#afterGap(position);
        continue;
      }
      if (chunk.locations[position & MASK] !== NOWHERE) return position;
      position++;
    }
    return this.#next;
  }

  /** Calls `visit` for every position that holds a message, in order; it may delete that one. */
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

  /**
   * Calls `visit` with the positions whose messages survive the broker, neighbours together, in
   * order. There may be millions of them: nothing is made for any, and nothing called; a chunk that
   * has been found whole is not looked through again.
   */
  forEachSurvivingRange(visit: (from: number, count: number) => void): void {
    let from = 0;
    let end = 0;
    for (const index of this.#sortedIndexes()) {
      const chunk = this.#chunks.get(index)!;
      const first = index * CHUNK;
      if (chunk.isWhole && end === first) {
        end = first + CHUNK;
        continue;
      }
      let surviving = 0;
      for (let slot = 0; slot < CHUNK; slot++) {
        if (!survives(chunk.locations[slot]!)) continue;
        surviving++;
        const position = first + slot;
        if (position !== end) {
          if (end > from) visit(from, end - from);
          from = position;
        }
        end = position + 1;
      }
      chunk.isWhole = surviving === CHUNK;
    }
    if (end > from) visit(from, end - from);
  }

  #chunk(index: number): Chunk | undefined {
    if (index === this.#recentIndex) return this.#recent;
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return undefined;
    this.#recent = chunk;
    this.#recentIndex = index;
    return chunk;
  }

  #put(position: number, location: number, bodyBytes: number): void {
    const chunk = this.#chunkFor(Math.floor(position / CHUNK));
    chunk.locations[position & MASK] = location;
    chunk.bodyBytes[position & MASK] = bodyBytes;
    chunk.live++;
    this.#count++;
  }

  #chunkFor(index: number): Chunk {
    let chunk = this.#chunk(index);
    if (chunk === undefined) {
      chunk = this.#free.take();
      this.#chunks.set(index, chunk);
    }
    return chunk;
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
