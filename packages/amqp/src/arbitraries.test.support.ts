import fc from 'fast-check';
import type { FieldTable, FieldValue } from './field-table.js';
import { METHOD_ROWS, METHODS, type MethodName } from './methods.js';
import type { BasicProperties } from './properties.js';
import type { DecodedMethod } from './types.js';
import { toWire } from './wire-string.js';

const U64_MAX = 2n ** 64n - 1n;

/** Any byte: not all wire strings are UTF-8. */
const anyByte: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 255 })
  .map((byte) => String.fromCharCode(byte));

/** Wire strings of any bytes. */
export function wireString(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: anyByte, maxLength });
}

/** Wire strings that fit a short string and are UTF-8. */
const utf8Shortstr: fc.Arbitrary<string> = fc
  .string({ unit: 'grapheme', maxLength: 60 })
  .map(toWire)
  .filter((wire) => wire.length <= 255);

function integer(min: number, max: number): fc.Arbitrary<number> {
  return fc.integer({ min, max });
}

function number(
  type: 'b' | 'B' | 's' | 'u' | 'I' | 'i' | 'f' | 'd',
  value: fc.Arbitrary<number>,
): fc.Arbitrary<FieldValue> {
  return value.map((n) => ({ type, value: n }));
}

const nested = fc.letrec<{
  fieldValue: FieldValue;
  fieldTable: FieldTable;
}>((tie) => ({
  fieldValue: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.boolean().map((value): FieldValue => ({ type: 't', value })),
    number('b', integer(-0x80, 0x7f)),
    number('B', integer(0, 0xff)),
    number('s', integer(-0x8000, 0x7fff)),
    number('u', integer(0, 0xffff)),
    number('I', integer(-0x80000000, 0x7fffffff)),
    number('i', integer(0, 0xffffffff)),
    number('f', fc.float()),
    number('d', fc.double()),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((value): FieldValue => ({ type: 'l', value })),
    fc.bigInt({ min: 0n, max: U64_MAX }).map((value): FieldValue => ({ type: 'T', value })),
    fc
      .record({ scale: integer(0, 0xff), value: integer(0, 0xffffffff) }, { noNullPrototype: true })
      .map((value): FieldValue => ({ type: 'D', value })),
    wireString(300).map((value): FieldValue => ({ type: 'S', value })),
    fc.uint8Array().map((bytes): FieldValue => ({ type: 'x', value: Buffer.from(bytes) })),
    fc.constant<FieldValue>({ type: 'V', value: null }),
    fc
      .array(tie('fieldValue'), { maxLength: 4 })
      .map((value): FieldValue => ({ type: 'A', value })),
    tie('fieldTable').map((value): FieldValue => ({ type: 'F', value })),
  ),
  fieldTable: fc
    .array(fc.tuple(wireString(255), tie('fieldValue')), { maxLength: 5 })
    .map((entries): FieldTable => new Map(entries)),
}));

/** Field values of every type, nested a few levels deep. */
export const fieldValue: fc.Arbitrary<FieldValue> = nested.fieldValue;
/** Tables of such values. */
export const fieldTable: fc.Arbitrary<FieldTable> = nested.fieldTable;

/** Basic properties, each there or not. */
export const basicProperties: fc.Arbitrary<BasicProperties> = fc.record(
  {
    contentType: wireString(255),
    contentEncoding: wireString(255),
    headers: fieldTable,
    deliveryMode: integer(0, 255),
    priority: integer(0, 255),
    correlationId: wireString(255),
    replyTo: wireString(255),
    expiration: wireString(255),
    messageId: wireString(255),
    timestamp: fc.bigInt({ min: 0n, max: U64_MAX }),
    type: wireString(255),
    userId: wireString(255),
    appId: wireString(255),
    clusterId: wireString(255),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** A method with arguments that fit its row of the table. */
export function methodArbitrary(name: MethodName): fc.Arbitrary<DecodedMethod> {
  const row = METHOD_ROWS[name];
  const byType = {
    bit: fc.boolean(),
    octet: integer(0, 0xff),
    short: integer(0, 0xffff),
    long: integer(0, 0xffffffff),
    longlong: fc.maxSafeNat(),
    shortstr: row.content === true ? wireString(255) : utf8Shortstr,
    longstr: wireString(2000),
    table: fieldTable,
  };
  const fields = Object.entries(row.fields).map(([field, type]) => [field, byType[type]]);
  // Built from the row that the type is computed from.
  return fc
    .record(Object.fromEntries(fields), { noNullPrototype: true })
    .map((args) => ({ name, args }) as unknown as DecodedMethod);
}

/** Any method at all. */
export const anyMethod: fc.Arbitrary<DecodedMethod> = fc.oneof(
  // Object.keys forgets that the keys are the method names.
  ...(Object.keys(METHODS) as MethodName[]).map(methodArbitrary),
);
