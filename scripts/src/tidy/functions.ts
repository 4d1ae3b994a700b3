/** A function, method or arrow function with a body in braces. */
export interface FoundFunction {
  readonly name: string;
  /** Where its header starts, counted from 1. */
  readonly line: number;
  /** From the header's line to the line of the closing brace, both counted. */
  readonly lines: number;
}

/** Words that take a parenthesis and a block and are no function. */
const controlWords: ReadonlySet<string> = new Set([
  'if',
  'for',
  'await',
  'while',
  'switch',
  'catch',
  'with',
]);

/** Callbacks of these only group tests, whose own functions are counted one by one. */
const groupingCalls: ReadonlySet<string> = new Set(['describe', 'suite']);

/**
 * Functions in the code view of a file (strings and comments blanked), found by their brackets: a
 * `)` that is followed by a body, at once, after `=>` or after a return type.
 */
export function findFunctions(code: string): FoundFunction[] {
  const pairs = matchBrackets(code);
  const found: FoundFunction[] = [];
  for (const [open, close] of pairs) {
    if (code[open] !== '(') continue;
    const bodyAt = bodyAfter(code, close + 1, pairs);
    const end = bodyAt === undefined ? undefined : pairs.get(bodyAt);
    if (end === undefined) continue;
    const header = headerBefore(code, open);
    if (controlWords.has(header.word) || groupingCalls.has(header.call.replace(/\..*/, '')))
      continue;
    const line = countLines(code, header.at);
    found.push({ name: header.name, line, lines: countLines(code, end) - line + 1 });
  }
  return found;
}

/** Opening brackets to closing ones, by offset. */
function matchBrackets(code: string): Map<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < code.length; at++) {
    const char = code.charAt(at);
    if ('([{'.includes(char)) open.push(at);
    if (!')]}'.includes(char)) continue;
    const start = open.pop();
    if (start !== undefined) pairs.set(start, at);
  }
  return pairs;
}

/** Where the body starts whose parameters end before `at`, if there is one. */
function bodyAfter(code: string, at: number, pairs: Map<number, number>): number | undefined {
  let here = skipSpace(code, at);
  if (code[here] === ':') here = afterType(code, here + 1, pairs);
  if (code.startsWith('=>', here)) here = skipSpace(code, here + 2);
  return code[here] === '{' ? here : undefined;
}

/**
 * The end of a return type. A `{` belongs to the type if what stands before it still expects one
 * (`:`, `|`, `<`, ...); otherwise it opens the body.
 */
function afterType(code: string, from: number, pairs: Map<number, number>): number {
  let previous = ':';
  let generics = 0;
  for (let at = from; at < code.length; at++) {
    const char = code.charAt(at);
    if (char.trim() === '') continue;
    if (code.startsWith('=>', at)) return at;
    if (char === '<') generics += 1;
    if (char === '>') generics -= 1;
    if (generics === 0 && ';,)]}=?'.includes(char)) return at;
    if (char === '{' && !':|&<([,$'.includes(previous)) return at;
    if ('{(['.includes(char)) at = pairs.get(at) ?? at;
    previous = code.charAt(at);
  }
  return code.length;
}

interface Header {
  /** The word before the parenthesis; a control word tells this is no function. */
  readonly word: string;
  /** For a callback: the function it is passed to, if on the same line. */
  readonly call: string;
  readonly name: string;
  readonly at: number;
}

/** Reads backwards from a parameter list to the start of its line. */
function headerBefore(code: string, open: number): Header {
  const lineStart = code.lastIndexOf('\n', open) + 1;
  const before = code.slice(lineStart, open);
  const isCase = /^\s*case\b/.test(before);
  const word = isCase ? 'switch' : (/([\w$#]+)(?:<[^()]*>)?\s*$/.exec(before)?.[1] ?? '');
  const call = /([\w$#.]+)\([^()]*$/.exec(before)?.[1] ?? '';
  const assigned = /([\w$#]+)\s*(?::[^=]*)?=\s*(?:async\s*)?(?:<[^()]*>)?$/.exec(before)?.[1];
  const own = word === 'async' || word === 'function' ? '' : word;
  const name = assigned ?? (own || (call === '' ? 'a function' : `the callback of ${call}`));
  return { word, call: own === '' ? call : '', name, at: lineStart };
}

function skipSpace(code: string, from: number): number {
  let at = from;
  while (at < code.length && code.charAt(at).trim() === '') at += 1;
  return at;
}

function countLines(code: string, offset: number): number {
  return code.slice(0, offset).split('\n').length;
}
