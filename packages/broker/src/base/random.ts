import { randomBytes } from 'node:crypto';

/** Randomness; comes in by constructor, so that a simulation can be replayed from its seed. */
export interface Random {
  /** `bytes` unpredictable octets. */
  bytes(bytes: number): Buffer;
}

/** The operating system's randomness. */
export const systemRandom: Random = { bytes: (bytes) => randomBytes(bytes) };

/** A name nobody can guess, as RabbitMQ forms them: the prefix, a dash, 22 base64url characters. */
export function uniqueName(random: Random, prefix: string): string {
  return `${prefix}-${random.bytes(16).toString('base64url')}`;
}
