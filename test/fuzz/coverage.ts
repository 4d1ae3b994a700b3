import { Session } from 'node:inspector';

/** What of a script has run, as V8 counts it. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly {
      readonly startOffset: number;
      readonly endOffset: number;
      readonly count: number;
    }[];
  }[];
}

/** What has run in some scripts. */
export type News = readonly ScriptCoverage[];

/** Blocks of some scripts that have run, and those that are known. */
export interface BlockCount {
  readonly covered: number;
  readonly known: number;
}

/**
 * Notes which blocks of this process's scripts have run. A block is what lies between two places
 * where V8 counts; it is known once V8 has told of it.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #isMeant: (url: string) => boolean;
  /** By script: an octet for each character, 1 if it has run. */
  readonly #covered = new Map<string, Uint8Array>();
  readonly #borders = new Map<string, Set<number>>();

  /** Starts at once: what is to be counted is best imported afterwards. */
  constructor(isMeant: (url: string) => boolean) {
    this.#isMeant = isMeant;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** What has run since the last call, if some of it never had before. */
  news(): News | undefined {
    const scripts = this.#take();
    const isNew = scripts.some((script) => this.#isNews(script));
    return isNew ? scripts : undefined;
  }

  /** Takes note of news: they are none any more. */
  note(news: News): void {
    for (const { url, functions } of news) {
      const ran = ranIn(functions);
      const covered = this.#grown(url, ran.length);
      const borders = this.#borders.get(url) ?? new Set();
      this.#borders.set(url, borders);
      for (const { ranges } of functions)
        for (const range of ranges) borders.add(range.startOffset);
      for (let at = 0; at < ran.length; at++) covered[at]! |= ran[at]!;
    }
  }

  /** The blocks of scripts whose address has this in it. */
  count(part: string): BlockCount {
    let [covered, known] = [0, 0];
    for (const [url, borders] of this.#borders) {
      if (!url.includes(part)) continue;
      const map = this.#covered.get(url);
      for (const start of borders) {
        known++;
        if (map?.[start] === 1) covered++;
      }
    }
    return { covered, known };
  }

  stop(): void {
    this.#session.disconnect();
  }

  #take(): ScriptCoverage[] {
    let scripts: ScriptCoverage[] = [];
    // In the same thread it is answered at once.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      scripts = answer.result.filter(({ url }) => this.#isMeant(url));
    });
    return scripts;
  }

  #isNews({ url, functions }: ScriptCoverage): boolean {
    const ran = ranIn(functions);
    const covered = this.#grown(url, ran.length);
    for (let at = 0; at < ran.length; at++) if (ran[at]! > covered[at]!) return true;
    return false;
  }

  #grown(url: string, length: number): Uint8Array {
    const before = this.#covered.get(url) ?? new Uint8Array(0);
    if (before.length >= length) return before;
    const larger = new Uint8Array(length);
    larger.set(before);
    this.#covered.set(url, larger);
    return larger;
  }
}

/** An octet for each character, 1 if it has run. */
function ranIn(functions: ScriptCoverage['functions']): Uint8Array {
  const ends = functions.map(({ ranges }) => ranges[0]?.endOffset ?? 0);
  const ran = new Uint8Array(Math.max(0, ...ends));
  // Functions come before those in them, and a range before those in it: the last word counts.
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
  }
  return ran;
}
