/** Who is excused from which rule, and why. An exception that excuses nothing is an error. */
export interface Exceptions {
  readonly lengths: readonly LengthException[];
  readonly calls: readonly CallException[];
}

export interface LengthException {
  /** The file, or `file#function` for a function. */
  readonly where: string;
  /** A ratchet: the length it may have. Lower it whenever the thing shrinks. */
  readonly linesMax: number;
  readonly reason: string;
}

export interface CallException {
  readonly path: string;
  /** Calls and modules as the tables in rules/ports.ts name them. */
  readonly allows: readonly string[];
  readonly reason: string;
}

/** Where this table stands. Only in a tree that has it can an entry of it be stale. */
export const exceptionsPath = 'scripts/src/tidy/exceptions.ts';

export const exceptions: Exceptions = {
  lengths: [],
  calls: [],
};
