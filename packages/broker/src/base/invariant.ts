/** A bug of ours, not a fault or a peer's mistake: the state named is not what it has to be. */
export class InvariantError extends Error {
  override name = 'InvariantError';
}

/**
 * Stops when `condition` does not hold. It stays on in production: whoever catches the error closes
 * the smallest thing that owns the broken state.
 */
export function invariant(condition: boolean, whatBroke: string): asserts condition {
  if (!condition) throw new InvariantError(whatBroke);
}
