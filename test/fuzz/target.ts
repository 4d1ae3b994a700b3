import type { SeededRandom } from '../wire/seeded-random.js';

/** A part of the broker that takes octets from strangers, and what holds whatever they are. */
export interface Target {
  readonly name: string;
  /** How many inputs it gets at a time, in turn with the others: what is slow gets few. */
  readonly round: number;
  /** Octets that mean something to it. */
  readonly seeds: readonly Buffer[];
  /** Another input, made from one that is known to lead somewhere and from a second one. */
  mutate(random: SeededRandom, input: Buffer, other: Buffer): Buffer;
  /** Takes inputs one after the other. Throws, or rejects, if one of them breaks a promise. */
  run(inputs: readonly Buffer[]): void | Promise<void>;
}
