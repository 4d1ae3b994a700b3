import type { Clock } from '../clock.js';
import type { Turn, TurnEnd } from '../turn.js';

/** When a turn has been long enough, and how long those in the line go on, in milliseconds. */
export const TURN_MILLISECONDS = 8;

/** Somebody who has more to do than fits into a turn. */
export interface Slicer {
  /** It is its turn again. */
  goOn(): void;
}

/**
 * Shares out the turns of the event loop: who takes too long has to wait in a line until everybody
 * else has had their turn, and goes on when it has come to its head. Who does little never waits.
 */
export class TimeSlices implements TurnEnd {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #turn: Turn;
  readonly #line: Slicer[] = [];
  #isDeferred = false;
  /** The number of the current turn. */
  turnNumber = 0;
  /** What all together have taken of it, in milliseconds. */
  taken = 0;

  constructor(clock: Pick<Clock, 'now'>, turn: Turn) {
    this.#clock = clock;
    this.#turn = turn;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Sees to it that the turn ends. */
  begin(): void {
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#turn.defer(this);
  }

  /** Puts somebody at the end of the line. */
  wait(slicer: Slicer): void {
    this.#line.push(slicer);
    this.begin();
  }

  endTurn(): void {
    this.#isDeferred = false;
    this.turnNumber++;
    const until = this.now() + TURN_MILLISECONDS;
    while (this.#line.length > 0 && this.now() < until) this.#line.shift()!.goOn();
    // What those in the line have taken is not held against the others.
    this.taken = 0;
    if (this.#line.length > 0) this.begin();
  }
}
