/** Something with output to write, or other work to finish, when the turn ends. */
export interface TurnEnd {
  endTurn(): void;
}

/** Runs an action after everything that is readable now has been read. */
export type RunLater = (action: () => void) => void;

/**
 * Gathers what has to happen once at the end of the current turn of the event loop: a connection
 * that was written to a thousand times in a turn is flushed once, in a single write.
 */
export class Turn {
  #pending: TurnEnd[] = [];
  #spare: TurnEnd[] = [];
  readonly #runLater: RunLater;
  readonly #end = (): void => {
    const due = this.#pending;
    this.#pending = this.#spare;
    for (const each of due) each.endTurn();
    due.length = 0;
    this.#spare = due;
  };

  /** `setImmediate` runs after the sockets that are readable now: their output shares a write. */
  constructor(runLater: RunLater = setImmediate) {
    this.#runLater = runLater;
  }

  /**
   * Calls `each.endTurn()` once at the end of this turn. The caller sees to it that it asks once.
   */
  defer(each: TurnEnd): void {
    if (this.#pending.length === 0) this.#runLater(this.#end);
    this.#pending.push(each);
  }
}
