/** What may go wrong with messages that are numbered from 0. */
export interface Faults {
  readonly lost: number;
  readonly duplicated: number;
  readonly disordered: number;
  /** Arrived in a queue they were not meant for. */
  readonly misrouted: number;
  /** Refused by the broker. */
  readonly nacked: number;
}

export const NO_FAULTS: Faults = {
  lost: 0,
  duplicated: 0,
  disordered: 0,
  misrouted: 0,
  nacked: 0,
};

export function addFaults(one: Faults, other: Faults): Faults {
  return {
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    disordered: one.disordered + other.disordered,
    misrouted: one.misrouted + other.misrouted,
    nacked: one.nacked + other.nacked,
  };
}

/** Watches one stream arrive in one queue. */
export class SequenceCheck {
  received = 0;
  readonly #stream: number;
  #next = 0;
  #duplicated = 0;
  #disordered = 0;
  #misrouted = 0;
  readonly #missing = new Set<number>();

  constructor(stream: number) {
    this.#stream = stream;
  }

  take(stream: number, number: number): void {
    this.received++;
    if (stream !== this.#stream) this.#misrouted++;
    else if (number === this.#next) this.#next++;
    else this.#unexpected(number);
  }

  #unexpected(number: number): void {
    for (; this.#next < number; this.#next++) this.#missing.add(this.#next);
    if (number === this.#next) this.#next++;
    else if (this.#missing.delete(number)) this.#disordered++;
    else this.#duplicated++;
  }

  /** `published`: how many there were of the stream. */
  faults(published: number): Faults {
    return {
      lost: this.#missing.size + published - this.#next,
      duplicated: this.#duplicated,
      disordered: this.#disordered,
      misrouted: this.#misrouted,
      nacked: 0,
    };
  }
}
