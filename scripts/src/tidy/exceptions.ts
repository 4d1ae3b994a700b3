import { type Finding, violation } from './finding.js';
import type { Tree } from './tree.js';

/** Who is excused from which rule, and why. An exception that excuses nothing is an error. */
export interface Exceptions {
  readonly sizes: readonly SizeException[];
  readonly permits: readonly Permit[];
}

export interface SizeException {
  /** A file, `file#function` for a function, or a folder. */
  readonly where: string;
  /** A ratchet: lines, for a folder files. Lower it whenever the thing shrinks. */
  readonly max: number;
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
  sizes: [
    {
      where: 'packages/amqp/src/methods.ts',
      max: 470,
      reason: 'one table, the protocol itself; split, nobody could see that it is whole',
    },
    {
      where: 'packages/amqp/src',
      max: 18,
      reason: 'the codec is flat: a file for each form that bytes take',
    },
    {
      where: 'packages/broker/src/store/message-store.contract.ts#messageStoreContract',
      max: 73,
      reason: 'a list of tests',
    },
  ],
  permits: [
    {
      path: 'scripts/src/test-reporter.ts',
      allows: ['a default export'],
      reason: 'node --test asks its reporters for one',
    },
    {
      path: 'packages/broker/src/base/turn.ts',
      allows: ['a timer'],
      reason: 'the end of a turn is the event loop, not a time; a test gives its own',
    },
    {
      path: 'packages/broker/src/protocols/amqp091/opening/endpoints.ts',
      allows: ['node:net'],
      reason: 'tells a TCP socket from other streams, to know whether the peer is on this machine',
    },
    {
      path: 'packages/broker/src/certificate-user.ts',
      allows: ['node:tls'],
      reason: 'tells a TLS socket from other streams: only it has a certificate',
    },
    {
      path: 'packages/broker/src/protocols/amqp091/transport.ts',
      allows: ['node:net'],
      reason: 'tells a TCP socket from other streams: only it has let go of what it has written',
    },
    {
      path: 'packages/broker/src/protocols/amqp091/opening/server-properties.ts',
      allows: ['process'],
      reason: 'tells clients which Node.js they talk to; constant for the life of the process',
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
