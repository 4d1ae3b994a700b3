import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EncodeError } from './errors.js';
import type { FieldTable } from './field-table.js';
import { decodeTable, encodeTable } from './field-table-codec.js';
import { fromFieldTable, toFieldTable } from './plain-table.js';

test('each JavaScript type has its field type', () => {
  const table = toFieldTable({
    string: 'Zoë',
    boolean: true,
    int: -(2 ** 31),
    beyondInt: 2 ** 31,
    fraction: 0.5,
    huge: 2 ** 60,
    negativeZero: -0,
    bigint: 7n,
    bytes: Buffer.from([1]),
    date: new Date(1_700_000_000_999),
    array: ['a', undefined],
    map: new Map([['k', 1]]),
    object: { k: 1 },
    nothing: null,
    leftOut: undefined,
  });
  const expected: FieldTable = new Map([
    ['string', { type: 'S', value: 'Zo\u00c3\u00ab' }],
    ['boolean', { type: 't', value: true }],
    ['int', { type: 'I', value: -(2 ** 31) }],
    ['beyondInt', { type: 'l', value: 2n ** 31n }],
    ['fraction', { type: 'd', value: 0.5 }],
    ['huge', { type: 'd', value: 2 ** 60 }],
    ['negativeZero', { type: 'd', value: -0 }],
    ['bigint', { type: 'l', value: 7n }],
    ['bytes', { type: 'x', value: Buffer.from([1]) }],
    ['date', { type: 'T', value: 1_700_000_000n }],
    [
      'array',
      {
        type: 'A',
        value: [
          { type: 'S', value: 'a' },
          { type: 'V', value: null },
        ],
      },
    ],
    ['map', { type: 'F', value: new Map([['k', { type: 'I', value: 1 }]]) }],
    ['object', { type: 'F', value: new Map([['k', { type: 'I', value: 1 }]]) }],
    ['nothing', { type: 'V', value: null }],
  ]);
  assert.deepEqual(table, expected);
  assert.deepEqual([...table.keys()], [...expected.keys()]);
});

test('plain values come back', () => {
  const text = fc.string({ unit: 'binary', maxLength: 60 });
  const plain = fc.dictionary(
    text,
    fc.oneof(
      text,
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }),
      fc.constant(null),
      fc.array(text),
      fc.dictionary(text, fc.integer(), { noNullPrototype: true }),
      fc.date({ min: new Date(0), noInvalidDate: true }).map((date) => {
        date.setUTCMilliseconds(0);
        return date;
      }),
    ),
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(plain, (object) => {
      const bytes = encodeTable(toFieldTable(object));
      assert.deepEqual(fromFieldTable(decodeTable(bytes, 0, bytes.length)), object);
    }),
  );
});

test('types with no JavaScript counterpart become the nearest', () => {
  const table: FieldTable = new Map([
    ['decimal', { type: 'D', value: { scale: 2, value: 314 } }],
    ['exact', { type: 'l', value: 5n }],
    ['inexact', { type: 'l', value: 2n ** 53n }],
    ['notUtf8', { type: 'S', value: '\u00ff' }],
  ]);
  assert.deepEqual(fromFieldTable(table), {
    decimal: 3.14,
    exact: 5,
    inexact: 2n ** 53n,
    notUtf8: '\ufffd',
  });
});

test('a key named __proto__ is only a key', () => {
  const plain = fromFieldTable(new Map([['__proto__', { type: 'F', value: new Map() }]]));
  assert.deepEqual(Object.keys(plain), ['__proto__']);
  assert.equal(Object.getPrototypeOf(plain), Object.prototype);
});

test('what no field type can hold is an EncodeError', () => {
  const endless: Record<string, unknown> = {};
  endless.itself = endless;
  assert.throws(() => toFieldTable(endless), EncodeError);
  const endlessArray: unknown[] = [];
  endlessArray.push(endlessArray);
  assert.throws(() => toFieldTable({ endlessArray }), EncodeError);
  assert.throws(() => toFieldTable({ f: () => 1 }), EncodeError);
  assert.throws(() => toFieldTable({ s: Symbol('s') }), EncodeError);
  assert.throws(() => toFieldTable({ d: new Date(Number.NaN) }), EncodeError);
  assert.throws(() => toFieldTable({ d: new Date(-1) }), EncodeError);
});
