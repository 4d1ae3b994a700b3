import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldValue } from './arbitraries.test.support.js';
import { type FieldValue, fieldTypeName, sameFieldValue } from './field-table.js';
import { decodeTable, encodeTable } from './field-table-codec.js';

test('types have the names of RabbitMQ error texts', () => {
  assert.equal(fieldTypeName({ type: 'I', value: 1 }), 'signedint');
  assert.equal(fieldTypeName({ type: 'S', value: '' }), 'longstr');
  assert.equal(fieldTypeName({ type: 'l', value: 1n }), 'long');
  assert.equal(fieldTypeName({ type: 'V', value: null }), 'void');
});

test('a whole number is the same in every integer type', () => {
  const fives: readonly FieldValue[] = [
    { type: 'b', value: 5 },
    { type: 'B', value: 5 },
    { type: 's', value: 5 },
    { type: 'u', value: 5 },
    { type: 'I', value: 5 },
    { type: 'i', value: 5 },
    { type: 'l', value: 5n },
    { type: 'T', value: 5n },
  ];
  for (const a of fives) {
    for (const b of fives) assert.ok(sameFieldValue(a, b), `${a.type} ${b.type}`);
    assert.ok(!sameFieldValue(a, { type: 'I', value: 6 }));
    assert.ok(!sameFieldValue(a, { type: 'd', value: 5 }), 'a double is another type');
    assert.ok(!sameFieldValue(a, { type: 'S', value: '5' }), 'so is a string');
  }
});

test('floats equal doubles, and strings equal byte arrays', () => {
  assert.ok(sameFieldValue({ type: 'f', value: 0.5 }, { type: 'd', value: 0.5 }));
  assert.ok(!sameFieldValue({ type: 'f', value: 0.5 }, { type: 'd', value: 0.25 }));
  assert.ok(sameFieldValue({ type: 'S', value: 'a' }, { type: 'x', value: Buffer.from('a') }));
  assert.ok(!sameFieldValue({ type: 'S', value: 'a' }, { type: 'x', value: Buffer.from('b') }));
});

test('inside arrays and tables type and order count', () => {
  const one: FieldValue = { type: 'I', value: 1 };
  const oneLong: FieldValue = { type: 'l', value: 1n };
  const two: FieldValue = { type: 'I', value: 2 };
  const same = (a: FieldValue, b: FieldValue, expected: boolean): void =>
    assert.equal(sameFieldValue(a, b), expected);
  same({ type: 'A', value: [one, two] }, { type: 'A', value: [one, two] }, true);
  same({ type: 'A', value: [one, two] }, { type: 'A', value: [two, one] }, false);
  same({ type: 'A', value: [one] }, { type: 'A', value: [one, two] }, false);
  same({ type: 'A', value: [one] }, { type: 'A', value: [oneLong] }, false);
  const table = (...entries: [string, FieldValue][]): FieldValue => ({
    type: 'F',
    value: new Map(entries),
  });
  same(table(['a', one], ['b', two]), table(['a', one], ['b', two]), true);
  same(table(['a', one], ['b', two]), table(['b', two], ['a', one]), false);
  same(table(['a', one]), table(['c', one]), false);
  same(table(), { type: 'A', value: [] }, false);
});

test('decimals and voids', () => {
  const decimal = (scale: number, value: number): FieldValue => ({
    type: 'D',
    value: { scale, value },
  });
  assert.ok(sameFieldValue(decimal(1, 5), decimal(1, 5)));
  assert.ok(!sameFieldValue(decimal(1, 5), decimal(2, 50)), 'not even if they are worth the same');
  assert.ok(sameFieldValue({ type: 'V', value: null }, { type: 'V', value: null }));
  assert.ok(!sameFieldValue({ type: 'V', value: null }, { type: 't', value: false }));
});

test('numbers that are none are the same, on their own and inside of others', () => {
  const none: FieldValue = { type: 'd', value: Number.NaN };
  assert.ok(sameFieldValue(none, { type: 'd', value: Number.NaN }));
  assert.ok(sameFieldValue({ type: 'A', value: [none] }, { type: 'A', value: [none] }));
  assert.ok(!sameFieldValue(none, { type: 'd', value: 0 }));
  assert.ok(sameFieldValue({ type: 'd', value: -0 }, { type: 'd', value: 0 }));
});

test('every value is the same as itself after a trip over the wire', () => {
  fc.assert(
    fc.property(fieldValue, (value) => {
      const bytes = encodeTable(new Map([['k', value]]));
      const decoded = decodeTable(bytes, 0, bytes.length).get('k');
      assert.ok(decoded !== undefined && sameFieldValue(value, decoded));
      assert.ok(sameFieldValue(decoded, value));
    }),
  );
});
