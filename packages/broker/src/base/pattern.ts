import { isWordOctet, type OctetSet } from './octet-set.js';
import { PatternError, type PatternNode, type Place, parsePattern } from './pattern-syntax.js';

export { PatternError } from './pattern-syntax.js';

/** How many steps a pattern may be made of; `.{1,255}` takes 510. */
const STEPS_MAX = 2_000;

/** What to do at a step; `next` is the number of the step that follows. */
type Step =
  | { readonly kind: 'octet'; readonly set: OctetSet; readonly next: number }
  | { readonly kind: 'place'; readonly place: Place; readonly next: number }
  | { readonly kind: 'either'; readonly next: number; other: number }
  | {
      readonly kind: 'look-ahead';
      readonly body: number;
      readonly negative: boolean;
      readonly next: number;
    }
  | { readonly kind: 'matched' };

/**
 * A regular expression of which one only asks whether it matches somewhere in a name, as those of
 * policies and permissions.
 *
 * The syntax is PCRE's, which RabbitMQ's patterns are written in, without what cannot be answered
 * in bounded time or is not worth it: back references, lookbehind, recursion, conditions, atomic
 * groups and possessive quantifiers are refused. Patterns and names are wire strings, matched octet
 * by octet, as RabbitMQ does.
 *
 * Whatever the pattern, an answer takes no more than steps × octets: a step is never tried twice at
 * the same octet, because what did not lead to a match once will not do so again. (Within a
 * look-ahead it is steps × octets for each octet it is asked at.) JavaScript's own RegExp can take
 * for ever, and would take the broker with it.
 */
export class Pattern {
  readonly source: string;
  readonly #steps: Step[] = [{ kind: 'matched' }];
  readonly #start: number;

  /** Throws a {@link PatternError} if it cannot be understood, or would be too large. */
  constructor(source: string) {
    this.source = source;
    this.#start = this.#compile(parsePattern(source), 0);
  }

  /** Whether the pattern matches anywhere in a name. */
  matches(name: string): boolean {
    const search = new Search(this.#steps, name);
    const tried = search.nothingTried();
    for (let at = 0; at <= name.length; at++) {
      if (search.leadsToMatch(this.#start, at, tried)) return true;
    }
    return false;
  }

  /** The steps that match a node and go on at `next`; returns the first of them. */
  #compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'octet':
        return this.#add({ kind: 'octet', set: node.set, next });
      case 'place':
        return this.#add({ kind: 'place', place: node.place, next });
      case 'sequence':
        return node.nodes.reduceRight((after, each) => this.#compile(each, after), next);
      case 'choice':
        return node.nodes
          .map((each) => this.#compile(each, next))
          .reduceRight((other, first) => this.#add({ kind: 'either', next: first, other }));
      case 'repeat':
        return this.#repeat(node.node, node.least, node.most, next);
      case 'look-ahead': {
        const body = this.#compile(node.node, 0);
        return this.#add({ kind: 'look-ahead', body, negative: node.negative, next });
      }
    }
  }

  #repeat(node: PatternNode, least: number, most: number, next: number): number {
    let start = next;
    if (most === Number.POSITIVE_INFINITY) {
      // The loop's own step has to be there before what it leads to.
      const loop: Step = { kind: 'either', next, other: next };
      start = this.#add(loop);
      loop.other = this.#compile(node, start);
    } else {
      for (let i = least; i < most; i++) {
        start = this.#add({ kind: 'either', next: this.#compile(node, start), other: next });
      }
    }
    for (let i = 0; i < least; i++) {
      const before = start;
      start = this.#compile(node, before);
      // What matches nothing but the empty string need not be repeated.
      if (start === before) break;
    }
    return start;
  }

  #add(step: Step): number {
    if (this.#steps.length >= STEPS_MAX) {
      throw new PatternError('regular expression is too large', this.source.length);
    }
    return this.#steps.push(step) - 1;
  }
}

/** One search of one name. */
class Search {
  readonly #steps: readonly Step[];
  readonly #name: string;
  /** Answers of look-aheads, by step and octet. */
  readonly #seen = new Map<number, boolean>();

  constructor(steps: readonly Step[], name: string) {
    this.#steps = steps;
    this.#name = name;
  }

  /** Room to note, for each step at each octet, that it was tried. */
  nothingTried(): Uint8Array {
    return new Uint8Array(this.#steps.length * (this.#name.length + 1));
  }

  /** Whether the steps from one on match from an octet on. */
  leadsToMatch(first: number, from: number, tried: Uint8Array): boolean {
    const width = this.#name.length + 1;
    const pending = [first * width + from];
    for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
      if (tried[key] === 1) continue;
      tried[key] = 1;
      const at = key % width;
      const step = this.#steps[(key - at) / width]!;
      if (step.kind === 'matched') return true;
      if (step.kind === 'either') pending.push(step.other * width + at, step.next * width + at);
      else if (this.#holds(step, at, key)) {
        pending.push(step.next * width + (step.kind === 'octet' ? at + 1 : at));
      }
    }
    return false;
  }

  #holds(step: Exclude<Step, { kind: 'matched' | 'either' }>, at: number, key: number): boolean {
    switch (step.kind) {
      case 'octet':
        return at < this.#name.length && step.set[this.#name.charCodeAt(at)] === 1;
      case 'place':
        return isPlace(step.place, this.#name, at);
      case 'look-ahead': {
        let found = this.#seen.get(key);
        if (found === undefined) {
          found = this.leadsToMatch(step.body, at, this.nothingTried());
          this.#seen.set(key, found);
        }
        return found !== step.negative;
      }
    }
  }
}

function isPlace(place: Place, name: string, at: number): boolean {
  const { length } = name;
  switch (place) {
    case 'start':
      return at === 0;
    case 'very-end':
      return at === length;
    case 'end':
      return at === length || (at === length - 1 && name[at] === '\n');
    case 'line-start':
      return at === 0 || (name[at - 1] === '\n' && at < length);
    case 'line-end':
      return at === length || name[at] === '\n';
    case 'word-edge':
      return isWordEdge(name, at);
    case 'no-word-edge':
      return !isWordEdge(name, at);
  }
}

function isWordEdge(name: string, at: number): boolean {
  const before = at > 0 && isWordOctet(name.charCodeAt(at - 1));
  const after = at < name.length && isWordOctet(name.charCodeAt(at));
  return before !== after;
}
