/** A set of octets, one byte for each: 1 if it is in. */
export type OctetSet = Uint8Array;

/** The octets for which `test` holds. */
export function octetsWhere(test: (octet: number) => boolean): OctetSet {
  return Uint8Array.from({ length: 256 }, (_, octet) => (test(octet) ? 1 : 0));
}

/** The octets that are not in a set. */
export function complement(set: OctetSet): OctetSet {
  return octetsWhere((octet) => set[octet] === 0);
}

/** A set with the upper and lower case of each ASCII letter in it. */
export function foldCase(set: OctetSet): OctetSet {
  return octetsWhere((octet) => set[octet] === 1 || set[otherCase(octet)] === 1);
}

function otherCase(octet: number): number {
  return LETTERS[octet] === 1 ? octet ^ 0x20 : octet;
}

function ranges(...bounds: readonly string[]): OctetSet {
  const pairs = bounds.map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)] as const);
  return octetsWhere((octet) => pairs.some(([from, to]) => octet >= from && octet <= to));
}

const LETTERS = ranges('AZ', 'az');
const DIGITS = ranges('09');
const WORD = ranges('AZ', 'az', '09', '__');
/** Tab to carriage return, and space. */
const SPACE = ranges('\t\r', '  ');
const BLANK = ranges('\t\t', '  ');
const PRINTED = ranges('!~');
const PUNCTUATION = octetsWhere(
  (octet) => PRINTED[octet] === 1 && LETTERS[octet] === 0 && DIGITS[octet] === 0,
);

/** What `\d`, `\D` and their like stand for. */
export const ESCAPED_SETS: Readonly<Record<string, OctetSet>> = {
  d: DIGITS,
  D: complement(DIGITS),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
  h: BLANK,
  H: complement(BLANK),
};

/** What `[:alpha:]` and its like stand for in a class. */
export const POSIX_SETS: Readonly<Record<string, OctetSet>> = {
  alpha: LETTERS,
  digit: DIGITS,
  alnum: ranges('AZ', 'az', '09'),
  upper: ranges('AZ'),
  lower: ranges('az'),
  space: SPACE,
  blank: BLANK,
  punct: PUNCTUATION,
  xdigit: ranges('AF', 'af', '09'),
  word: WORD,
  graph: PRINTED,
  print: ranges(' ~'),
  cntrl: octetsWhere((octet) => octet < 32 || octet === 127),
};

/** Whether an octet is a letter, a digit or an underscore. */
export function isWordOctet(octet: number): boolean {
  return WORD[octet] === 1;
}
