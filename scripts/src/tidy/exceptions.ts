import { type Finding, violation } from './finding.js';
import type { Tree } from './tree.js';

/** Who is excused from which rule, and why. An exception that excuses nothing is an error. */
export interface Exceptions {
  readonly lengths: readonly LengthException[];
  readonly permits: readonly Permit[];
}

export interface LengthException {
  /** The file, or `file#function` for a function. */
  readonly where: string;
  /** A ratchet: the length it may have. Lower it whenever the thing shrinks. */
  readonly linesMax: number;
  readonly reason: string;
}

export interface Permit {
  readonly path: string;
  /** `a default export`, or a call or module as rules/ports.ts names it. */
  readonly allows: readonly string[];
  readonly reason: string;
}

/** Where this table stands. Only in a tree that has it can an entry of it be stale. */
export const exceptionsPath = 'scripts/src/tidy/exceptions.ts';

export const exceptions: Exceptions = {
  lengths: [],
  permits: [
    {
      path: 'scripts/src/test-reporter.ts',
      allows: ['a default export'],
      reason: 'node --test asks its reporters for one',
    },
  ],
};

/** The permits, and which of them were needed. */
export class Permits {
  readonly #permits: readonly Permit[];
  readonly #used = new Set<string>();

  constructor(permits: readonly Permit[]) {
    this.#permits = permits;
  }

  /** Whether the file may do this; asking counts as use. */
  allow(path: string, what: string): boolean {
    const allows = this.#permits.some((one) => one.path === path && one.allows.includes(what));
    if (allows) this.#used.add(`${path} ${what}`);
    return allows;
  }

  unused(tree: Tree): Finding[] {
    if (tree.file(exceptionsPath) === undefined) return [];
    return this.#permits.flatMap(({ path, allows }) =>
      allows
        .filter((what) => !this.#used.has(`${path} ${what}`))
        .map((what) => {
          const message = `the permit for ${what} in ${path} excuses nothing; remove it`;
          return violation(exceptionsPath, 1, 'stale-exception', message);
        }),
    );
  }
}
