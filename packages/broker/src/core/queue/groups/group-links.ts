import { type Group, NONE } from './groups.js';

/** Ready, and in the list of its group. */
export const LISTED = 1;
/** Delivered, or on its way out. */
export const TAKEN = 2;
/** Ready without a key, and out of the list because it was given back: wherever it belongs. */
export const LOOSE = 4;
/** Besides one of the others: it has been taken before. */
export const SEEN = 8;

/** Instead of a group's number: the key is not known yet. */
export const UNKNOWN = 0xffff_ffff;

const CHUNK_SLOTS = 512;
const CHUNK_MASK = CHUNK_SLOTS - 1;

interface Chunk {
  readonly previous: Float64Array;
  readonly next: Float64Array;
  readonly groups: Uint32Array;
  readonly states: Uint8Array;
  live: number;
}

/**
 * What a queue with groups knows of each message, by position: its state, its group, and its
 * neighbours in the group's list. 21 octets a message and no object, in chunks that come with their
 * first message and go with their last.
 */
export class GroupLinks {
  readonly #chunks = new Map<number, Chunk>();
  /** The chunk used last: the next position is most often in it too. */
  #recent: Chunk | undefined;
  #recentIndex = -1;

  /** A message's state; 0 if it has no entry. */
  state(position: number): number {
    return this.#chunk(position)?.states[position & CHUNK_MASK] ?? 0;
  }

  /** The number of the group of a message that has an entry. */
  group(position: number): number {
    return this.#chunk(position)?.groups[position & CHUNK_MASK] ?? UNKNOWN;
  }

  /** Sets, for a message that may have no entry yet; the state is not 0. */
  set(position: number, group: number, state: number): void {
    const chunk = this.#chunk(position) ?? this.#add(position);
    const slot = position & CHUNK_MASK;
    if (chunk.states[slot] === 0) chunk.live++;
    chunk.groups[slot] = group;
    chunk.states[slot] = state;
  }

  /** Removes a message's entry, if it has one; it is in no list. */
  delete(position: number): void {
    const chunk = this.#chunk(position);
    const slot = position & CHUNK_MASK;
    if (chunk === undefined || chunk.states[slot] === 0) return;
    chunk.states[slot] = 0;
    if (--chunk.live > 0) return;
    this.#chunks.delete(Math.floor(position / CHUNK_SLOTS));
    this.#recent = undefined;
    this.#recentIndex = -1;
  }

  /** Puts a message that has an entry into its group's list, which is in order of position. */
  link(group: Group, position: number): void {
    let before = group.last;
    if (before > position) {
      const { returned } = group;
      before = returned !== NONE && returned < position ? returned : NONE;
      for (let next = this.#after(group, before); next < position; next = this.#next(next)) {
        before = next;
      }
    }
    const next = this.#after(group, before);
    this.#join(group, before, position);
    this.#join(group, position, next);
  }

  /** Takes a message out of its group's list. */
  unlink(group: Group, position: number): void {
    const previous = this.#chunk(position)!.previous[position & CHUNK_MASK]!;
    if (group.returned === position) group.returned = previous;
    this.#join(group, previous, this.#next(position));
  }

  /** Calls `visit` for each message with an entry, in no particular order. */
  forEach(visit: (position: number, state: number) => void): void {
    for (const [index, { states }] of this.#chunks) {
      for (let slot = 0; slot < CHUNK_SLOTS; slot++) {
        const state = states[slot]!;
        if (state !== 0) visit(index * CHUNK_SLOTS + slot, state);
      }
    }
  }

  #after(group: Group, position: number): number {
    return position === NONE ? group.first : this.#next(position);
  }

  #next(position: number): number {
    return this.#chunk(position)!.next[position & CHUNK_MASK]!;
  }

  /** Makes two messages neighbours; NONE stands for either end. */
  #join(group: Group, previous: number, next: number): void {
    if (previous === NONE) group.first = next;
    else this.#chunk(previous)!.next[previous & CHUNK_MASK] = next;
    if (next === NONE) group.last = previous;
    else this.#chunk(next)!.previous[next & CHUNK_MASK] = previous;
  }

  #chunk(position: number): Chunk | undefined {
    const index = Math.floor(position / CHUNK_SLOTS);
    if (index === this.#recentIndex) return this.#recent;
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined) {
      this.#recent = chunk;
      this.#recentIndex = index;
    }
    return chunk;
  }

  #add(position: number): Chunk {
    const index = Math.floor(position / CHUNK_SLOTS);
    const chunk = {
      previous: new Float64Array(CHUNK_SLOTS),
      next: new Float64Array(CHUNK_SLOTS),
      groups: new Uint32Array(CHUNK_SLOTS),
      states: new Uint8Array(CHUNK_SLOTS),
      live: 0,
    };
    this.#chunks.set(index, chunk);
    this.#recent = chunk;
    this.#recentIndex = index;
    return chunk;
  }
}
