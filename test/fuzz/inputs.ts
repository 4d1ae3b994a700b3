import { SeededRandom } from '../wire/seeded-random.js';
import { Coverage, type News } from './coverage.js';
import type { Target } from './target.js';

/** What is looked at for whether anything new has run: the codec, and who speaks AMQP with it. */
const GUIDE = /\/packages\/(amqp\/dist\/|broker\/dist\/protocols\/)/;

/** What the process may hold besides its own code, however many inputs there are, in octets. */
const MEMORY_BYTES_MAX = 1_073_741_824;

export interface InputsReport {
  readonly inputs: number;
  readonly seconds: number;
  /** How many of a target's inputs led to blocks that none before them had. */
  readonly kept: Readonly<Record<string, number>>;
  /** Blocks that have run, of those there are: of the codec, and of the protocol's door. */
  readonly codec: string;
  readonly door: string;
  readonly memoryBytes: number;
}

/** An input that breaks a promise. */
export class BrokenPromiseError extends Error {
  override readonly name = 'BrokenPromiseError';

  constructor(target: string, input: Buffer, cause: unknown) {
    super(`--again ${target}:${input.toString('hex')}`, { cause });
  }
}

/**
 * Runs that many inputs through the targets; guided, it keeps those with which something runs that
 * never had, and makes more of them. The same seed gives the same inputs; guided, nearly: what runs
 * depends on V8 and on time, too. Rejects with a BrokenPromiseError, which has the input.
 */
export async function fuzzInputs(
  count: number,
  seed: number,
  isGuided: boolean,
  tell: (inputs: number) => void = () => {},
): Promise<InputsReport> {
  const coverage = isGuided ? new Coverage((url) => GUIDE.test(url)) : undefined;
  try {
    const targets = await importTargets();
    const searches = targets.map((target, at) => new Search(target, seed + at, coverage));
    const began = performance.now();
    let done = 0;
    while (done < count) {
      for (const search of searches) done += await search.round();
      const memoryBytes = process.memoryUsage.rss();
      tell(done);
      if (memoryBytes > MEMORY_BYTES_MAX) throw new Error(`${memoryBytes} octets of memory`);
    }
    const shown = (part: string): string => {
      const { covered, known } = coverage?.count(part) ?? { covered: 0, known: 0 };
      return `${covered} of ${known}`;
    };
    return {
      inputs: done,
      seconds: (performance.now() - began) / 1000,
      kept: Object.fromEntries(searches.map(({ name, kept }) => [name, kept])),
      codec: shown('/packages/amqp/'),
      door: shown('/protocols/amqp091/'),
      memoryBytes: process.memoryUsage.rss(),
    };
  } finally {
    coverage?.stop();
  }
}

/** Imported when it is counted already what runs, so that nothing of it is missed. */
async function importTargets(): Promise<readonly Target[]> {
  const { frames, tables, headers, methods } = await import('./codec-targets.js');
  const { connections } = await import('./connection-target.js');
  return [frames, tables, headers, methods, connections];
}

/** One target's inputs that led somewhere. */
class Search {
  readonly #target: Target;
  readonly #random: SeededRandom;
  readonly #coverage: Coverage | undefined;
  readonly #corpus: Buffer[];

  constructor(target: Target, seed: number, coverage: Coverage | undefined) {
    this.#target = target;
    this.#random = new SeededRandom(seed);
    this.#coverage = coverage;
    this.#corpus = [...target.seeds];
  }

  get name(): string {
    return this.#target.name;
  }

  get kept(): number {
    return this.#corpus.length - this.#target.seeds.length;
  }

  /** Makes inputs and runs them; how many it were. */
  async round(): Promise<number> {
    const { round } = this.#target;
    const inputs = Array.from({ length: round }, () =>
      this.#target.mutate(this.#random, this.#any(), this.#any()),
    );
    const news = await this.#run(inputs);
    if (news === undefined) return round;
    await this.#keep(inputs);
    // What does not happen a second time is no news the next time either.
    this.#coverage?.note(news);
    return round;
  }

  #any(): Buffer {
    return this.#random.pick(this.#corpus);
  }

  /** Looks for the inputs with which something new has run, half by half. */
  async #keep(inputs: readonly Buffer[]): Promise<void> {
    const middle = inputs.length >> 1;
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      const news = await this.#run(half);
      if (news === undefined) continue;
      if (half.length > 1) await this.#keep(half);
      else {
        this.#corpus.push(half[0]!);
        this.#coverage?.note(news);
      }
    }
  }

  async #run(inputs: readonly Buffer[]): Promise<News | undefined> {
    const frames = Error.stackTraceLimit;
    // Most inputs are refused by an error, whose stack nobody reads.
    Error.stackTraceLimit = 0;
    try {
      await this.#target.run(inputs);
    } catch (error) {
      Error.stackTraceLimit = frames;
      throw (await this.#blamed(inputs)) ?? error;
    } finally {
      Error.stackTraceLimit = frames;
    }
    return this.#coverage?.news();
  }

  /** The first input that fails alone. */
  async #blamed(inputs: readonly Buffer[]): Promise<BrokenPromiseError | undefined> {
    for (const input of inputs) {
      try {
        await this.#target.run([input]);
      } catch (error) {
        return new BrokenPromiseError(this.name, input, error);
      }
    }
    return undefined;
  }
}

/** Runs one input that has broken a promise again, in hexadecimal digits. */
export async function runInput(target: string, digits: string): Promise<void> {
  const found = (await importTargets()).find(({ name }) => name === target);
  if (found === undefined) throw new Error(`no target ${target}`);
  await found.run([Buffer.from(digits, 'hex')]);
}
