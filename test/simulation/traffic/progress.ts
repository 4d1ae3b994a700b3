/**
 * What is known to be on the disk. The disk takes things in order: an answer that waited for it
 * says the same of all that the broker had done before.
 */
export class Progress {
  #step = 0;
  readonly #takenIn: { readonly step: number; readonly whenDurable: () => void }[] = [];

  /** Something is asked for that will be answered when it is on the disk; returns its number. */
  next(): number {
    return ++this.#step;
  }

  /**
   * The broker has taken something in that has no answer; `whenDurable` is called when it is known
   * to be on the disk. Whatever is asked for next comes after it.
   */
  takenIn(whenDurable: () => void): void {
    this.#takenIn.push({ step: this.#step, whenDurable });
  }

  /** What was asked for under this number is on the disk. */
  reached(step: number): void {
    while ((this.#takenIn[0]?.step ?? step) < step) this.#takenIn.shift()!.whenDurable();
  }

  /** The broker has gone: what is not known by now will never be. */
  end(): void {
    this.#takenIn.length = 0;
  }
}
