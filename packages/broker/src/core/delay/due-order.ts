import type { Holder } from './delays.js';

/** Which delayed message: the number of those it is kept with, and its position there. */
export interface DelayedEntry {
  /** Wall time in milliseconds. */
  readonly dueAt: number;
  readonly number: number;
  readonly position: number;
}

/**
 * The first messages to fall due, at most `limit`, of those that come after `after`. It goes
 * through all there are: nothing is kept in order but what is next.
 */
export function firstDue(
  holders: Iterable<Holder>,
  limit: number,
  after: DelayedEntry | undefined,
): readonly DelayedEntry[] {
  const found: DelayedEntry[] = [];
  let last: DelayedEntry | undefined;
  const keepFirst = (): void => {
    found.sort(compare).splice(limit);
    if (found.length === limit) last = found.at(-1);
  };
  for (const { number, messages } of holders) {
    messages.forEachDue((dueAt, position) => {
      if (last !== undefined && dueAt > last.dueAt) return;
      if (after !== undefined && dueAt < after.dueAt) return;
      const entry = { dueAt, number, position };
      if (after !== undefined && compare(entry, after) <= 0) return;
      if (found.push(entry) === 2 * limit) keepFirst();
    });
  }
  keepFirst();
  return found;
}

function compare(a: DelayedEntry, b: DelayedEntry): number {
  return a.dueAt - b.dueAt || a.number - b.number || a.position - b.position;
}
