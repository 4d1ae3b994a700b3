import { Refusal } from '../core/refusal.js';

/** Makes sure that limits are known, and whole numbers. Throws a Refusal. */
export function checkLimits(limits: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!known.includes(name)) throw invalid(`unrecognised limit '${name}'`);
    if (!Number.isSafeInteger(value)) {
      throw invalid(`${name} should be an integer, actually was ${JSON.stringify(value)}`);
    }
  }
}

/** Whether one more is too many; the limit that says so, if it is. */
export function limitReached(limit: number | undefined, count: number): number | undefined {
  return limit !== undefined && limit >= 0 && count >= limit ? limit : undefined;
}

function invalid(text: string): Refusal {
  return new Refusal('precondition-failed', text);
}
