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
 * Whatever the pattern, an answer takes time in proportion to steps × octets: for every step at
 * every octet it is found out once whether a match can be reached from there, from the end of the
 * match backwards. JavaScript's own RegExp can take for ever, and would take the broker with it.
 */
export class Pattern {
  readonly source: string;
  readonly #steps: Step[] = [{ kind: 'matched' }];
  /** By step, the steps it may come after. */
  readonly #before: readonly (readonly number[])[];
  readonly #start: number;

  /** Throws a {@link PatternError} if it cannot be understood, or would be too large. */
  constructor(source: string) {
    this.source = source;
    this.#start = this.#compile(parsePattern(source), 0);
    const before: number[][] = this.#steps.map(() => []);
    this.#steps.forEach((step, index) => {
      if (step.kind === 'matched') return;
      before[step.next]!.push(index);
      if (step.kind === 'either') before[step.other]!.push(index);
    });
    this.#before = before;
  }

  /** Whether the pattern matches anywhere in a name. */
  matches(name: string): boolean {
    const search = new Search(this.#steps, this.#before, name);
    for (let at = 0; at <= name.length; at++) if (search.reaches(this.#start, at)) return true;
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

/** One search of one name: from which step at which octet can a match be reached? */
class Search {
  readonly #steps: readonly Step[];
  readonly #before: readonly (readonly number[])[];
  readonly #name: string;
  /** Numbers of octets, and the place behind the last. */
  readonly #width: number;
  /** By step × width + octet: 1 if a match can be reached. */
  readonly #reaching: Uint8Array;
  /** Look-aheads whose bodies have been searched. */
  readonly #answered = new Set<number>();
  readonly #pending: number[] = [];

  constructor(steps: readonly Step[], before: readonly (readonly number[])[], name: string) {
    this.#steps = steps;
    this.#before = before;
    this.#name = name;
    this.#width = name.length + 1;
    this.#reaching = new Uint8Array(steps.length * this.#width);
    for (let at = 0; at < this.#width; at++) this.#mark(0, at);
    this.#spread();
    steps.forEach((step, index) => {
      // Those within its body were made, and so are answered, before it.
      if (step.kind === 'look-ahead') this.#answer(index, step.next);
    });
  }

  reaches(step: number, at: number): boolean {
    return this.#reaching[step * this.#width + at] === 1;
  }

  #mark(step: number, at: number): void {
    const key = step * this.#width + at;
    if (this.#reaching[key] === 1) return;
    this.#reaching[key] = 1;
    this.#pending.push(key);
  }

  /** Marks what leads to what has been marked. */
  #spread(): void {
    for (let key = this.#pending.pop(); key !== undefined; key = this.#pending.pop()) {
      const at = key % this.#width;
      for (const step of this.#before[(key - at) / this.#width]!) this.#markBefore(step, at);
    }
  }

  /** Marks a step that leads to an octet where a match can be reached, if it gets there. */
  #markBefore(index: number, at: number): void {
    const step = this.#steps[index]!;
    switch (step.kind) {
      case 'octet':
        if (at > 0 && step.set[this.#name.charCodeAt(at - 1)] === 1) this.#mark(index, at - 1);
        break;
      case 'place':
        if (isPlace(step.place, this.#name, at)) this.#mark(index, at);
        break;
      case 'look-ahead':
        if (this.#answered.has(index) && this.reaches(step.body, at) !== step.negative) {
          this.#mark(index, at);
        }
        break;
      case 'either':
        this.#mark(index, at);
        break;
      case 'matched':
    }
  }

  /** A look-ahead's body has been searched: it can be passed where it holds. */
  #answer(index: number, next: number): void {
    this.#answered.add(index);
    for (let at = 0; at < this.#width; at++)
      if (this.reaches(next, at)) this.#markBefore(index, at);
    this.#spread();
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
