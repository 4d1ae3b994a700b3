/** No position: a list ends here. */
export const NONE = -1;

/** Messages with the same key, as far as they are known: those that are ready are a list. */
export class Group {
  /** Stands for the group where there is one number a message; used again when it has gone. */
  readonly number: number;
  key = '';
  /** Positions of the first and the last that are ready. */
  first: number = NONE;
  last: number = NONE;
  /** The ready one that was given back last, for the next to find its place from. */
  returned: number = NONE;
  /** How many are delivered; the others wait for as long as there is one. */
  inFlight = 0;

  constructor(number: number) {
    this.number = number;
  }
}

/** The groups of a queue, by key and by number; a group is there for as long as it has messages. */
export class Groups {
  /** Messages without a key: they wait for nobody. */
  readonly none: Group = new Group(0);
  readonly #byKey = new Map<string, Group>();
  readonly #byNumber: Group[] = [this.none];
  readonly #unused: Group[] = [];

  get size(): number {
    return this.#byKey.size;
  }

  /** The group of a key, which comes into being if it has to. */
  of(key: string): Group {
    if (key === '') return this.none;
    let group = this.#byKey.get(key);
    if (group !== undefined) return group;
    group = this.#unused.pop() ?? this.#add();
    group.key = key;
    this.#byKey.set(key, group);
    return group;
  }

  at(number: number): Group {
    return this.#byNumber[number]!;
  }

  /** Forgets a group that has no messages any more. */
  dissolve(group: Group): void {
    this.#byKey.delete(group.key);
    group.key = '';
    group.returned = NONE;
    this.#unused.push(group);
  }

  #add(): Group {
    const group = new Group(this.#byNumber.length);
    this.#byNumber.push(group);
    return group;
  }
}
