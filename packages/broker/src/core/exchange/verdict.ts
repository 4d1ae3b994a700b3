import type { Binding, Destination } from './router.js';

/** Part of what a binding asks for, and what a message has. Strings are wire strings. */
export interface PartVerdict {
  /** As in `word 2` or `header 'format'`. */
  readonly what: string;
  readonly wanted: string;
  /** Undefined if the message has no such thing. */
  readonly found: string | undefined;
  readonly matches: boolean;
}

/** Whether a message goes by a binding, and why. */
export interface Verdict {
  /** `by chance`: it may be this one or another. */
  readonly matches: boolean | 'by chance';
  /** A sentence without its end. */
  readonly why: string;
  /** Part by part, for bindings that ask for several things. */
  readonly parts: readonly PartVerdict[];
  /** How much of what it asks for is there: from 0 to 1, and 1 only if it matches. */
  readonly nearness: number;
}

/** A verdict, and what it is about. */
export interface BindingVerdict extends Verdict {
  readonly destination: Destination;
  /** Undefined for the default exchange, whose bindings nobody has made. */
  readonly binding: Binding | undefined;
}

/** One verdict for each binding. */
export function explainEach(
  bindings: Iterable<Binding>,
  judge: (binding: Binding) => Verdict,
): BindingVerdict[] {
  return [...bindings].map((binding) => ({
    ...judge(binding),
    binding,
    destination: binding.destination,
  }));
}

/** Every binding takes every message. */
export function takesAll(): Verdict {
  return { matches: true, why: 'takes every message', parts: [], nearness: 1 };
}

/** One of the bindings is chosen; this says of each whether it is the one, and why. */
export function choice(isChosen: boolean, by: string): Verdict {
  const why = isChosen ? `chosen by ${by}` : `not chosen: ${by} leads elsewhere`;
  return { matches: isChosen, why, parts: [], nearness: isChosen ? 1 : 0 };
}

/** Two keys, which are the same or are not. */
export function sameKey(what: string, wanted: string, found: string): Verdict {
  const matches = wanted === found;
  const why = matches
    ? `the routing key is '${found}'`
    : `the routing key is '${found}', ${what} '${wanted}'`;
  return { matches, why, parts: [], nearness: likeness(wanted, found) };
}

/** How alike two texts are: 1 if they are the same, else less, by what they begin and end with. */
export function likeness(a: string, b: string): number {
  if (a === b) return 1;
  const longest = Math.max(a.length, b.length);
  const shortest = Math.min(a.length, b.length);
  if (a.toLowerCase() === b.toLowerCase()) return 1 - 0.5 / longest;
  let start = 0;
  while (start < shortest && a[start] === b[start]) start++;
  let end = 0;
  while (end < shortest - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  // At the most all but one octet of the longer is in the other.
  return Math.min(start + end, longest - 0.5) / longest;
}
