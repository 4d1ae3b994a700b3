/** Where a value is in a {@link LinkedList}: what takes it out again. */
export class Place<T> {
  /** Undefined once it is out. */
  value: T | undefined;
  before: Place<T> = this;
  behind: Place<T> = this;

  constructor(value: T | undefined) {
    this.value = value;
  }
}

/**
 * Values in the order in which they were added, any of which can be taken out.
 *
 * For what comes and goes all the time. A Set that it passes through is made anew every few times,
 * and V8 has each of its tables hold on to the next: with one of them among the old objects, all
 * that has passed through since stays in memory until those are collected, and is copied there.
 */
export class LinkedList<T> {
  /** Behind the last and before the first. */
  readonly #ends = new Place<T>(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Where the value is that has been there longest. */
  get first(): Place<T> | undefined {
    return this.#size === 0 ? undefined : this.#ends.behind;
  }

  /** Adds a value at the end. */
  add(value: T): Place<T> {
    const place = new Place(value);
    link(this.#ends.before, place);
    link(place, this.#ends);
    this.#size++;
    return place;
  }

  /** Takes a value out, unless it is already. */
  delete(place: Place<T>): void {
    if (place.value === undefined) return;
    link(place.before, place.behind);
    place.value = undefined;
    place.before = place;
    place.behind = place;
    this.#size--;
  }

  /** Those that are in it now. */
  values(): T[] {
    const values: T[] = [];
    for (let at = this.#ends.behind; at.value !== undefined; at = at.behind) values.push(at.value);
    return values;
  }
}

function link<T>(before: Place<T>, behind: Place<T>): void {
  before.behind = behind;
  behind.before = before;
}
