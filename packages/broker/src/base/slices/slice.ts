import { type TimeSlices, TURN_MILLISECONDS } from './time-slices.js';

/** What one may take of a turn, in milliseconds. */
const SLICE_MILLISECONDS = 3;

/** What one may still take when all together have taken {@link TURN_MILLISECONDS} of it. */
const LEAST_MILLISECONDS = 1;

/** How many steps are taken at most before the time is looked at, while they are short. */
const STEPS_MAX = 16;

/** Steps that take longer than this are looked at one by one, in milliseconds. */
const SHORT_MILLISECONDS = 0.05;

/** The time that one takes. */
export class Slice {
  readonly #slices: TimeSlices;
  #turnNumber = -1;
  #taken = 0;
  #since = 0;
  /** Steps until the time is looked at again, and from one look to the next. */
  #steps = 0;
  #stride = 1;

  constructor(slices: TimeSlices) {
    this.#slices = slices;
  }

  /** Steps follow, one after the other. */
  begin(): void {
    this.#slices.begin();
    this.#since = this.#slices.now();
    this.#steps = this.#stride;
  }

  /** A step is done; answers whether it is enough for this turn. */
  isOver(): boolean {
    if (--this.#steps > 0) return false;
    const now = this.#slices.now();
    const took = now - this.#since;
    this.#since = now;
    const areShort = took < this.#stride * SHORT_MILLISECONDS;
    // Cautiously: of three frames of a publish it is the last that takes long.
    this.#stride = areShort ? Math.min(2 * this.#stride, STEPS_MAX) : 1;
    this.#steps = this.#stride;
    return this.#take(took);
  }

  /** What was done since the time was last looked at counts too. */
  end(): void {
    this.#take(this.#slices.now() - this.#since);
  }

  #take(milliseconds: number): boolean {
    const slices = this.#slices;
    if (this.#turnNumber !== slices.turnNumber) {
      this.#turnNumber = slices.turnNumber;
      this.#taken = 0;
    }
    this.#taken += milliseconds;
    slices.taken += milliseconds;
    if (slices.taken < TURN_MILLISECONDS) return this.#taken >= SLICE_MILLISECONDS;
    return this.#taken >= LEAST_MILLISECONDS;
  }
}
