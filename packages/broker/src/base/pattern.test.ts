import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pattern, PatternError } from './pattern.js';

function matches(pattern: string, name: string): boolean {
  return new Pattern(pattern).matches(name);
}

/** Patterns with names they match, and names they do not. */
const CASES: readonly (readonly [pattern: string, yes: string[], no: string[]])[] = [
  ['', ['', 'a'], []],
  ['^$', [''], ['a']],
  ['.*', ['', 'a'], []],
  ['^(?!amq\\.).*', ['a', 'amq', 'amqx'], ['amq.', 'amq.gen-1']],
  ['^(?=.*x)(?=.*y)a', ['axy', 'ayx'], ['ax', 'xya']],
  ['^(?!(?!a)[abc])', ['a', 'd'], ['b', 'c']],
  ['^amq\\.', ['amq.gen'], ['amqx', 'xamq.']],
  ['(high|low)-\\d+$', ['high-1', 'a-low-22'], ['low-', 'low-x']],
  ['^[^.]+\\.[a-c-]{2,3}$', ['x.ab', 'x.a-c'], ['x.a', 'x.abca', '.ab']],
  ['^a{0}b{2}c{1,}$', ['bbc', 'bbcc'], ['abbc', 'bc', 'bb']],
  ['^x{,2}$', ['x{,2}'], ['xx']],
  ['^a+?b*?c??$', ['a', 'aab', 'abc'], ['b', 'abcc']],
  ['^[]a]+$', [']', 'a]'], ['[', '']],
  ['^[\\]\\-\\\\]$', [']', '-', '\\'], ['a']],
  ['^[\\w.-]+$', ['a_B9.-'], ['a b', '']],
  ['^[[:alpha:]][[:^digit:]][^[:space:]]$', ['ab1', 'Zz.'], ['1b1', 'a1b', 'ab ']],
  ['^\\x41\\x{42}\\056$', ['AB.'], ['ABC']],
  ['^(?i)amq\\.[x-z]$', ['AMQ.X', 'amq.y'], ['amq.a']],
  ['^a(?i:b)c$', ['abc', 'aBc'], ['Abc', 'abC']],
  ['^(?i)a(?-i)b$', ['Ab', 'ab'], ['aB']],
  ['^(a(?i)b|c)d$', ['aBd', 'Cd'], ['AbD', 'cD']],
  ['^(?:a|b(?:c|d))+$', ['abc', 'bda'], ['b', '']],
  ['^(?<name>a)(?P<other>b)$', ['ab'], ['a']],
  ['^a(?#a comment)b$', ['ab'], ['a']],
  ['^\\Qa.b*\\E+$', ['a.b*', 'a.b**'], ['axb']],
  ['\\Aa\\z', ['a'], ['a\n', 'ba']],
  ['^a$', ['a', 'a\n'], ['a\nb', 'a\n\n']],
  ['(?m)^b$', ['a\nb', 'b\nc'], ['ab']],
  ['a.b', ['axb'], ['a\nb']],
  ['(?s)a.b', ['a\nb'], ['ab']],
  ['\\bq\\b', ['q', 'a.q.b', 'q-1'], ['qq', 'a_q']],
  ['\\Bq', ['aq'], ['q', '.q']],
  ['^(a|)+b$', ['b', 'aab'], ['c']],
  ['^((a*)*)*$', ['', 'aaa'], ['ab']],
  ['^Gr\u00c3\u00bc', ['Gr\u00c3\u00bcn'], ['Gr\u00fcn']],
];

describe('a pattern', () => {
  for (const [pattern, yes, no] of CASES) {
    test(`${JSON.stringify(pattern)} matches what it should`, () => {
      for (const name of yes) assert.ok(matches(pattern, name), `does not match ${name}`);
      for (const name of no) assert.ok(!matches(pattern, name), `matches ${name}`);
    });
  }

  test('says the same as RegExp wherever both know the syntax', () => {
    const random = generator(20_241_107);
    let matched = 0;
    for (let i = 0; i < 4_000; i++) {
      const source = randomPattern(random, 3);
      const pattern = new Pattern(source);
      const reference = new RegExp(source);
      for (let j = 0; j < 5; j++) {
        const name = Array.from({ length: random(7) }, () => 'abc.'[random(4)]).join('');
        const expected = reference.test(name);
        assert.equal(pattern.matches(name), expected, `${source} on ${JSON.stringify(name)}`);
        if (expected) matched++;
      }
    }
    assert.ok(matched > 4_000 && matched < 18_000, `${matched} matches tell little`);
  });

  test('answers at once where backtracking would take for ever', () => {
    const name = `${'a'.repeat(254)}!`;
    for (const pattern of [
      '^(a+)+$',
      '^(a|a)*$',
      '^(a|aa)+$',
      '^(.*a){20}b$',
      '^((a*)*)*$',
      '^(?=(a+)+$)',
      '^(?!(?!(a+)+$))',
      '(x+x+)+y',
      '(?:a?){900}b',
      '(?=(?:a?){900}b|a*)b',
      '(?!(?=(?:a?){850}c)(?:a?){50}b)b',
    ]) {
      assert.equal(matches(pattern, name), false, pattern);
    }
  });

  test('refuses what is no regular expression, in the words of PCRE', () => {
    const cases: [string, string, number][] = [
      ['(', 'missing )', 1],
      ['[', 'missing terminating ] for character class', 1],
      ['[a', 'missing terminating ] for character class', 2],
      ['*a', 'nothing to repeat', 0],
      ['a|+', 'nothing to repeat', 2],
      ['a\\', '\\ at end of pattern', 2],
      ['a{2,1}', 'numbers out of order in {} quantifier', 5],
      ['a{65536}', 'number too big in {} quantifier', 8],
      ['[z-a]', 'range out of order in character class', 3],
      [')', 'unmatched parentheses', 0],
      ['[[:wat:]]', 'unknown POSIX class name', 1],
      ['(?#', 'missing ) after comment', 3],
    ];
    for (const [pattern, reason, offset] of cases) {
      const isIt = (error: unknown): boolean =>
        error instanceof PatternError && error.message === reason && error.offset === offset;
      assert.throws(() => new Pattern(pattern), isIt, pattern);
    }
  });

  test('refuses what it does not support, rather than to take it for something else', () => {
    for (const pattern of [
      '(a)\\1',
      '(?<=a)b',
      '(?<!a)b',
      '(?>a)',
      'a++',
      '(?R)',
      '(?(1)a)',
      '\\y',
    ]) {
      assert.throws(() => new Pattern(pattern), PatternError, pattern);
    }
  });

  test('refuses what would be too large or too deep, and is quick about it', () => {
    for (const pattern of [
      'a{3000}',
      '((a{100}){100}){100}',
      `${'('.repeat(300)}${')'.repeat(300)}`,
      'ab'.repeat(2_000),
    ]) {
      assert.throws(() => new Pattern(pattern), PatternError);
    }
    assert.ok(matches('^((){65535}){65535}$', ''));
    assert.ok(matches('^.{1,255}$', 'a'.repeat(255)));
  });
});

/** Numbers from 0 up to a bound, the same ones for the same seed (mulberry32). */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

function randomPattern(random: (bound: number) => number, depth: number): string {
  const atoms = [
    'a',
    'b',
    'c',
    '\\.',
    '.',
    '[ab]',
    '[^a]',
    '[a-c.]',
    '\\w',
    '\\W',
    '\\b',
    '^',
    '$',
  ];
  const atom = (): string => {
    if (depth === 0 || random(3) > 0) return atoms[random(atoms.length)]!;
    const opening = ['(', '(?:', '(', '(?=', '(?!'][random(5)]!;
    return `${opening}${randomPattern(random, depth - 1)})`;
  };
  const item = (): string => {
    const one = atom();
    const quantifier = ['', '', '', '*', '+', '?', '{2}', '{1,2}', '*?'][random(9)]!;
    // RegExp takes no quantifier behind a place, but behind a group with one in it.
    return quantifier !== '' && /^(\^|\$|\\b|\(\?[=!])/.test(one)
      ? `(?:${one})${quantifier}`
      : one + quantifier;
  };
  const sequence = (): string => Array.from({ length: random(4) }, item).join('');
  return Array.from({ length: 1 + random(2) }, sequence).join('|');
}
