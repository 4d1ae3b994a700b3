import type { Turn, TurnEnd } from '../base/turn.js';

/** Size of a slab. One forgotten message holds at most this much, until a sweep moves it. */
export const SLAB_BYTES = 65_536;

/** How many free slabs are kept to be used again. */
const KEPT_MAX = 128;

/** A piece of memory that many small messages share. */
export interface Slab {
  readonly buffer: Buffer;
  /** Octets of it that messages still use. */
  liveBytes: number;
}

/**
 * Slabs in which nothing is alive, to be used again: new memory has to be asked for, touched for
 * the first time and collected. A slab that has become free stays as it is until the turn ends,
 * for whoever is still reading the message that was in it.
 */
export class FreeSlabs implements TurnEnd {
  readonly #turn: Turn;
  readonly #free: Slab[] = [];
  readonly #freed: Slab[] = [];

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  take(): Slab {
    return this.#free.pop() ?? { buffer: Buffer.allocUnsafeSlow(SLAB_BYTES), liveBytes: 0 };
  }

  giveBack(slab: Slab): void {
    if (this.#freed.length === 0) this.#turn.defer(this);
    this.#freed.push(slab);
  }

  endTurn(): void {
    const room = KEPT_MAX - this.#free.length;
    this.#free.push(...this.#freed.slice(0, room));
    this.#freed.length = 0;
  }
}
