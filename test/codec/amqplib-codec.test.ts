/**
 * Our codec against amqplib's: for every method, and for properties, both must write the same bytes
 * and read the same values from them.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import {
  type BasicProperties,
  decodeMethod,
  decodeProperties,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  type FieldTable,
  type FieldType,
  type FieldValue,
  fromWire,
  METHOD_ROWS,
  type MethodArguments,
  type MethodName,
  toWire,
} from '@leveret/amqp';
import fc from 'fast-check';

interface AmqplibCodec {
  encodeMethod(id: number, channel: number, fields: Record<string, unknown>): Buffer;
  encodeProperties(
    id: number,
    channel: number,
    size: number,
    fields: Record<string, unknown>,
  ): Buffer;
  decode(id: number, payload: Buffer): Record<string, unknown>;
}

const require = createRequire(import.meta.url);
// amqplib exports only its client; its codec is reached by path, and has no types.
const amqplib = require(
  join(dirname(require.resolve('amqplib')), 'lib', 'defs.js'),
) as AmqplibCodec;

const METHOD_HEADER_BYTES = 7 + 4;
const CONTENT_HEADER_BYTES = 7 + 12;
const BASIC_CLASS_ID = 60;

/** Text, for amqplib decodes every string as UTF-8. */
const wireText = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map(toWire)
  .filter((wire) => wire.length < 255);

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });

function field<T extends FieldValue['type']>(
  type: T,
  value: fc.Arbitrary<(FieldValue & { type: T })['value']>,
): fc.Arbitrary<FieldValue> {
  // type and value are those of one member of the union.
  return value.map((one) => ({ type, value: one }) as FieldValue);
}

const { table } = fc.letrec<{ value: FieldValue; table: FieldTable }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    field('t', fc.boolean()),
    field('b', int(-0x80, 0x7f)),
    field('B', int(0, 0xff)),
    field('s', int(-0x8000, 0x7fff)),
    field('u', int(0, 0xffff)),
    field('I', int(-0x80000000, 0x7fffffff)),
    field('i', int(0, 0xffffffff)),
    field('l', fc.maxSafeInteger().map(BigInt)),
    field('f', fc.float({ noNaN: true })),
    field('d', fc.double({ noNaN: true })),
    field(
      'D',
      fc.record({ scale: int(0, 255), value: int(0, 0xffffffff) }, { noNullPrototype: true }),
    ),
    field('S', wireText),
    field(
      'x',
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    ),
    field('T', fc.maxSafeNat().map(BigInt)),
    field('A', fc.array(tie('value'), { maxLength: 3 })),
    field('F', tie('table')),
    fc.constant<FieldValue>({ type: 'V', value: null }),
  ),
  // A letter first: a JavaScript object would sort keys that are whole numbers to the front.
  table: fc
    .array(fc.tuple(wireText, tie('value')), { maxLength: 4 })
    .map((entries) => new Map(entries.map(([key, value]) => [`k${key}`, value]))),
}));

const BY_TYPE: Readonly<Record<FieldType, fc.Arbitrary<unknown>>> = {
  bit: fc.boolean(),
  octet: int(0, 0xff),
  short: int(0, 0xffff),
  long: int(0, 0xffffffff),
  longlong: fc.maxSafeNat(),
  shortstr: wireText,
  longstr: wireText,
  table,
};

/**
 * What amqplib calls the types that it cannot guess from a value, and forgets when it reads one.
 */
const HINTS: Partial<Record<FieldValue['type'], string>> = {
  b: 'byte',
  B: 'unsignedbyte',
  s: 'short',
  u: 'unsignedshort',
  I: 'int',
  i: 'unsignedint',
  l: 'long',
  f: 'float',
  d: 'double',
};

/** A field value as amqplib is given it, or, without hints, as it reads it. */
function toAmqplib(field: FieldValue, hints: boolean): unknown {
  switch (field.type) {
    case 'S':
      return fromWire(field.value);
    case 'T':
      return { '!': 'timestamp', value: Number(field.value) };
    case 'D':
      return { '!': 'decimal', value: { places: field.value.scale, digits: field.value.value } };
    case 'A':
      return field.value.map((value) => toAmqplib(value, hints));
    case 'F':
      return tableToAmqplib(field.value, hints);
    default: {
      const value = typeof field.value === 'bigint' ? Number(field.value) : field.value;
      const hint = HINTS[field.type];
      return hints && hint !== undefined ? { '!': hint, value } : value;
    }
  }
}

function tableToAmqplib(from: FieldTable, hints: boolean): Record<string, unknown> {
  return Object.fromEntries(
    [...from].map(([key, value]) => [fromWire(key), toAmqplib(value, hints)]),
  );
}

function argumentsToAmqplib(
  name: MethodName,
  args: Readonly<Record<string, unknown>>,
  hints: boolean,
): Record<string, unknown> {
  const converted = Object.entries(METHOD_ROWS[name].fields).map(([key, type]) => {
    const value = args[key];
    // The row says which type the value has.
    if (type === 'shortstr') return [key, fromWire(value as string)];
    if (type === 'longstr') return [key, Buffer.from(value as string, 'latin1')];
    if (type === 'table') return [key, tableToAmqplib(value as FieldTable, hints)];
    return [key, value];
  });
  return Object.fromEntries(converted);
}

// Object.keys forgets that the keys are the method names.
for (const name of Object.keys(METHOD_ROWS) as MethodName[]) {
  const row = METHOD_ROWS[name];
  const id = row.classId * 0x10000 + row.methodId;
  const args = fc.record(
    Object.fromEntries(Object.entries(row.fields).map(([key, type]) => [key, BY_TYPE[type]])),
    { noNullPrototype: true },
  );

  test(`${name} is the same to amqplib`, () => {
    fc.assert(
      fc.property(args, int(0, 0xffff), (values, channel) => {
        const theirs = amqplib.encodeMethod(id, channel, argumentsToAmqplib(name, values, true));
        // The values were made from the row that the type is computed from.
        const typed = values as unknown as MethodArguments<typeof name>;
        assert.deepEqual(encodeMethodFrame(channel, name, typed), theirs);
        assert.deepEqual(decodeMethod(theirs, 7, theirs.length - 1), { name, args: values });
        const read = amqplib.decode(id, theirs.subarray(METHOD_HEADER_BYTES, -1));
        assert.deepEqual(read, argumentsToAmqplib(name, values, false));
      }),
      { numRuns: 20 },
    );
  });
}

test('properties are the same to amqplib', () => {
  const properties = fc.record(
    {
      contentType: wireText,
      contentEncoding: wireText,
      headers: table,
      deliveryMode: int(0, 255),
      priority: int(0, 255),
      correlationId: wireText,
      replyTo: wireText,
      expiration: wireText,
      messageId: wireText,
      timestamp: fc.maxSafeNat().map(BigInt),
      type: wireText,
      userId: wireText,
      appId: wireText,
      clusterId: wireText,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(properties, fc.maxSafeNat(), (ours, bodySize) => {
      const fields = propertiesToAmqplib(ours);
      const theirs = amqplib.encodeProperties(BASIC_CLASS_ID, 1, bodySize, fields);
      assert.deepEqual(encodeContentHeaderFrame(1, bodySize, ours), theirs);
      assert.deepEqual(decodeProperties(theirs, CONTENT_HEADER_BYTES, theirs.length - 1), ours);
    }),
  );
});

function propertiesToAmqplib(properties: BasicProperties): Record<string, unknown> {
  const converted = Object.entries(properties).map(([key, value]) => {
    if (typeof value === 'string') return [key, fromWire(value)];
    if (typeof value === 'bigint') return [key, Number(value)];
    // The headers are the one property that is an object.
    if (typeof value === 'object') return [key, tableToAmqplib(value as FieldTable, true)];
    return [key, value];
  });
  return Object.fromEntries(converted);
}
