import {
  complement,
  ESCAPED_SETS,
  foldCase,
  type OctetSet,
  octetsWhere,
  POSIX_SETS,
} from './octet-set.js';

/** Deepest nesting of groups, as in PCRE. */
const DEPTH_MAX = 250;

/** Largest number in a quantifier, as in PCRE. */
const REPEATS_MAX = 65_535;

/** A place that is asked about without taking an octet. */
export type Place =
  | 'start'
  | 'end'
  | 'very-end'
  | 'line-start'
  | 'line-end'
  | 'word-edge'
  | 'no-word-edge';

/** A regular expression, taken apart. */
export type PatternNode =
  | { readonly kind: 'octet'; readonly set: OctetSet }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly node: PatternNode;
      readonly least: number;
      /** Infinity for any number. */
      readonly most: number;
    }
  | { readonly kind: 'look-ahead'; readonly node: PatternNode; readonly negative: boolean };

/** A regular expression that is none, or that asks for something not supported. */
export class PatternError extends Error {
  override name = 'PatternError';
  /** Where in the pattern, in octets from its beginning. */
  readonly offset: number;

  /** `reason` is PCRE's wording wherever it has one. */
  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

/** The options that `(?i)` and its like switch. */
interface Options {
  readonly ignoreCase: boolean;
  readonly dotMatchesLineFeed: boolean;
  readonly multiline: boolean;
}

const LITERAL_ESCAPES: Readonly<Record<string, number>> = {
  t: 9,
  n: 10,
  r: 13,
  f: 12,
  e: 27,
  a: 7,
};
const PLACES: Readonly<Record<string, Place>> = {
  A: 'start',
  Z: 'end',
  z: 'very-end',
  b: 'word-edge',
  B: 'no-word-edge',
};

/** Reads a regular expression; one character an octet. Throws a PatternError. */
export function parsePattern(pattern: string): PatternNode {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  #options: Options = { ignoreCase: false, dotMatchesLineFeed: false, multiline: false };

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#pattern.length) throw this.#error('unmatched parentheses');
    return node;
  }

  /** Alternatives, up to the end or a closing parenthesis. */
  #choice(): PatternNode {
    const outer = this.#options;
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    this.#options = outer;
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.#at < this.#pattern.length && !this.#sees('|') && !this.#sees(')')) {
      nodes.push(...this.#item());
    }
    return nodes.length === 1 ? nodes[0]! : { kind: 'sequence', nodes };
  }

  /** One thing with its quantifier; none for what only switches options. */
  #item(): PatternNode[] {
    if (this.#take('\\Q')) return this.#quoted();
    if (this.#take('\\E')) return [];
    const node = this.#atom();
    if (node === undefined) return [];
    return [this.#quantified(node)];
  }

  #quantified(node: PatternNode): PatternNode {
    const range = this.#quantifier();
    if (range === undefined) return node;
    if (this.#sees('+')) throw this.#error('possessive quantifiers are not supported');
    // Greedy or lazy makes no difference to whether there is a match.
    this.#take('?');
    return this.#quantified({ kind: 'repeat', node, least: range[0], most: range[1] });
  }

  #quantifier(): readonly [least: number, most: number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(this.#rest());
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const least = Number(braces[1]);
    const most = Number(braces[2] === undefined ? least : braces[3] || Number.POSITIVE_INFINITY);
    const largest = most === Number.POSITIVE_INFINITY ? least : Math.max(least, most);
    if (largest > REPEATS_MAX) throw this.#error('number too big in {} quantifier');
    if (most < least) throw this.#error('numbers out of order in {} quantifier', 1);
    return [least, most];
  }

  #atom(): PatternNode | undefined {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return this.#octet(this.#class());
      case '\\':
        return this.#escape();
      case '.':
        return this.#octet(
          octetsWhere((octet) => octet !== 10 || this.#options.dotMatchesLineFeed),
        );
      case '^':
        return { kind: 'place', place: this.#options.multiline ? 'line-start' : 'start' };
      case '$':
        return { kind: 'place', place: this.#options.multiline ? 'line-end' : 'end' };
      case '*':
      case '+':
      case '?':
        throw this.#error('nothing to repeat', 1);
      default:
        return this.#literal(character.charCodeAt(0));
    }
  }

  #group(): PatternNode | undefined {
    if (this.#depth >= DEPTH_MAX) throw this.#error('parentheses are too deeply nested');
    if (this.#take('?#')) {
      const end = this.#pattern.indexOf(')', this.#at);
      if (end < 0) throw this.#error('missing ) after comment');
      this.#at = end + 1;
      return undefined;
    }
    const outer = this.#options;
    let kind: 'plain' | 'ahead' | 'not-ahead' = 'plain';
    if (this.#take('?=')) kind = 'ahead';
    else if (this.#take('?!')) kind = 'not-ahead';
    else if (this.#sees('?') && this.#options !== this.#groupOptions()) {
      // `(?i)` holds for the rest of the group it is in.
      if (this.#take(')')) return undefined;
      this.#expect(':');
    }
    this.#depth++;
    const node = this.#choice();
    this.#depth--;
    if (!this.#take(')')) throw this.#error('missing )');
    this.#options = outer;
    return kind === 'plain' ? node : { kind: 'look-ahead', node, negative: kind === 'not-ahead' };
  }

  /** Reads what begins with a question mark: a name, or options, which it returns. */
  #groupOptions(): Options {
    const rest = this.#rest();
    const name = /^\?(:|P?<[A-Za-z_]\w*>|'[A-Za-z_]\w*')/.exec(rest);
    if (name !== null) {
      this.#at += name[0].length;
      return this.#options;
    }
    const switches = /^\?([ims]*)(?:-([ims]*))?(?=[:)])/.exec(rest);
    if (switches === null) {
      throw this.#error('lookbehind, recursion, conditions and atomic groups are not supported');
    }
    this.#at += switches[0].length;
    const isOn = (letter: string, before: boolean): boolean =>
      !switches[2]?.includes(letter) && (before || switches[1]!.includes(letter));
    const { ignoreCase, dotMatchesLineFeed, multiline } = this.#options;
    this.#options = {
      ignoreCase: isOn('i', ignoreCase),
      dotMatchesLineFeed: isOn('s', dotMatchesLineFeed),
      multiline: isOn('m', multiline),
    };
    return this.#options;
  }

  #escape(): PatternNode {
    const character = this.#pattern[this.#at];
    if (character === undefined) throw this.#error('\\ at end of pattern');
    const place = PLACES[character];
    if (place !== undefined) {
      this.#at++;
      return { kind: 'place', place };
    }
    if (/[1-9]/.test(character)) throw this.#error('back references are not supported');
    const set = ESCAPED_SETS[character];
    if (set === undefined) return this.#literal(this.#escapedOctet());
    this.#at++;
    return this.#octet(set);
  }

  /** The octet that the characters behind a backslash stand for. */
  #escapedOctet(): number {
    const numbered = /^(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{0,2})|([0-7]{1,3}))/.exec(this.#rest());
    if (numbered !== null) {
      this.#at += numbered[0].length;
      const [, braced, hexadecimal, octal] = numbered;
      const code = octal
        ? Number.parseInt(octal, 8)
        : Number.parseInt(braced ?? (hexadecimal || '0'), 16);
      if (code > 255) throw this.#error('character value in \\x{} or \\o{} is too large');
      return code;
    }
    const character = this.#next();
    const known = LITERAL_ESCAPES[character];
    if (known !== undefined) return known;
    if (/[A-Za-z0-9]/.test(character)) throw this.#error('unrecognized character follows \\');
    return character.charCodeAt(0);
  }

  /** Everything up to `\E` is literal; a quantifier behind it is the last octet's. */
  #quoted(): PatternNode[] {
    const found = this.#pattern.indexOf('\\E', this.#at);
    const end = found < 0 ? this.#pattern.length : found;
    const nodes = [...this.#pattern.slice(this.#at, end)].map((character) =>
      this.#literal(character.charCodeAt(0)),
    );
    this.#at = found < 0 ? end : end + 2;
    const last = nodes.pop();
    return last === undefined ? [] : [...nodes, this.#quantified(last)];
  }

  /** A class, from behind its opening bracket. */
  #class(): OctetSet {
    const negative = this.#take('^');
    const set = new Uint8Array(256);
    const add = (octets: OctetSet): void => {
      for (let octet = 0; octet < 256; octet++) set[octet]! |= octets[octet]!;
    };
    for (let first = true; first || !this.#sees(']'); first = false) {
      const from = this.#classPart();
      if (typeof from !== 'number') {
        add(from);
        continue;
      }
      const to = /^-[^\]]/.test(this.#rest()) ? this.#rangeEnd(from) : from;
      add(octetsWhere((octet) => octet >= from && octet <= to));
    }
    this.#expect(']');
    const folded = this.#options.ignoreCase ? foldCase(set) : set;
    return negative ? complement(folded) : folded;
  }

  /** The end of a range; if what follows the dash is a set, the dash is itself. */
  #rangeEnd(from: number): number {
    const before = this.#at;
    this.#at++;
    const to = this.#classPart();
    if (typeof to !== 'number') {
      this.#at = before;
      return from;
    }
    if (to < from) throw this.#error('range out of order in character class', 1);
    return to;
  }

  #classPart(): number | OctetSet {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#rest());
    if (posix !== null) {
      const set = POSIX_SETS[posix[2]!];
      if (set === undefined) throw this.#error('unknown POSIX class name');
      this.#at += posix[0].length;
      return posix[1] === '^' ? complement(set) : set;
    }
    if (this.#at >= this.#pattern.length) {
      throw this.#error('missing terminating ] for character class');
    }
    const character = this.#next();
    if (character !== '\\') return character.charCodeAt(0);
    const escaped = this.#pattern[this.#at] ?? '';
    if (escaped === 'b') {
      this.#at++;
      return 8;
    }
    const set = ESCAPED_SETS[escaped];
    if (set === undefined) return this.#escapedOctet();
    this.#at++;
    return set;
  }

  #literal(code: number): PatternNode {
    const set = new Uint8Array(256);
    set[code] = 1;
    return this.#octet(set);
  }

  #octet(set: OctetSet): PatternNode {
    return { kind: 'octet', set: this.#options.ignoreCase ? foldCase(set) : set };
  }

  #rest(): string {
    return this.#pattern.slice(this.#at);
  }

  #sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (this.#take(text)) return;
    if (text === ']') throw this.#error('missing terminating ] for character class');
    throw this.#error(`missing ${text}`);
  }

  /** The next character, which is then past. */
  #next(): string {
    const character = this.#pattern[this.#at];
    if (character === undefined) throw this.#error('\\ at end of pattern');
    this.#at++;
    return character;
  }

  /** `back`: how many characters before the one to be read next the fault lies. */
  #error(reason: string, back = 0): PatternError {
    return new PatternError(reason, this.#at - back);
  }
}
