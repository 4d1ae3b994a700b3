import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldValue } from '@leveret/amqp';
import { formatBinary, formatFieldTerm, formatFieldValue, quote } from './erlang-term.js';

// What is expected here was printed by Erlang itself: io:format("~p", [Term]).

test('octets are text if all of them are printable, and numbers otherwise', () => {
  const cases: [wire: string, term: string][] = [
    ['', '<<>>'],
    ['some', '<<"some">>'],
    ['a"\\b', '<<"a\\"\\\\b">>'],
    ['a\tb\r\n\b\v\f\x1b', '<<"a\\tb\\r\\n\\b\\v\\f\\e">>'],
    ['\x01\x02', '<<1,2>>'],
    ['a\x7f', '<<97,127>>'],
    ['a\0', '<<97,0>>'],
    ['\xa0\xff', '<<"\xa0\xff">>'],
    ['\x9f', '<<159>>'],
    // UTF-8 is Latin-1 to it.
    ['\xc3\xa9', '<<"\xc3\xa9">>'],
  ];
  for (const [wire, term] of cases) assert.equal(formatBinary(wire), term);
});

test('a string in quotes', () => {
  assert.equal(quote('expected integer, got longstr'), '"expected integer, got longstr"');
  assert.equal(quote('a"b\\c\n'), '"a\\"b\\\\c\\n"');
});

test('a field as a term', () => {
  const cases: [FieldValue, string][] = [
    [{ type: 't', value: true }, 'true'],
    [{ type: 'b', value: -1 }, '-1'],
    [{ type: 'l', value: -(2n ** 63n) }, '-9223372036854775808'],
    [{ type: 'T', value: 2n ** 64n - 1n }, '18446744073709551615'],
    [{ type: 'f', value: 1 }, '1.0'],
    [{ type: 'd', value: 0.5 }, '0.5'],
    [{ type: 'D', value: { scale: 2, value: 314 } }, '{2,314}'],
    [{ type: 'S', value: 'text' }, '<<"text">>'],
    [{ type: 'x', value: Buffer.from([0, 255]) }, '<<0,255>>'],
    [{ type: 'V', value: null }, 'undefined'],
    [{ type: 'A', value: [] }, '[]'],
    [
      {
        type: 'A',
        value: [
          { type: 'I', value: 1 },
          { type: 'S', value: 'x' },
        ],
      },
      '[{signedint,1},{longstr,<<"x">>}]',
    ],
    [{ type: 'F', value: new Map([['k', { type: 't', value: false }]]) }, '[{<<"k">>,bool,false}]'],
  ];
  for (const [field, term] of cases) assert.equal(formatFieldTerm(field), term);
});

test('a field as text: strings and octets as they are, the rest as terms', () => {
  assert.equal(formatFieldValue({ type: 'S', value: 'a"b\n' }), 'a"b\n');
  assert.equal(formatFieldValue({ type: 'x', value: Buffer.from([0, 255]) }), '\0\xff');
  assert.equal(formatFieldValue({ type: 'I', value: 5 }), '5');
});
