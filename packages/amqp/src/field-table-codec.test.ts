import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldTable } from './arbitraries.test.support.js';
import { DecodeError, EncodeError } from './errors.js';
import type { FieldTable, FieldValue } from './field-table.js';
import { decodeTable, encodeTable } from './field-table-codec.js';

function decode(bytes: Buffer): FieldTable {
  return decodeTable(bytes, 0, bytes.length);
}

/** A table, as bytes, with the one key `k`; `value` is the type letter and what follows, in hex. */
function tableOf(value: string): Buffer {
  const entry = Buffer.from(`016b${value.replaceAll(' ', '')}`, 'hex');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(entry.length);
  return Buffer.concat([length, entry]);
}

const GOLDEN: readonly (readonly [FieldValue, string])[] = [
  [{ type: 't', value: true }, '74 01'],
  [{ type: 'b', value: -1 }, '62 ff'],
  [{ type: 'B', value: 255 }, '42 ff'],
  [{ type: 's', value: -2 }, '73 fffe'],
  [{ type: 'u', value: 65534 }, '75 fffe'],
  [{ type: 'I', value: -3 }, '49 fffffffd'],
  [{ type: 'i', value: 4294967293 }, '69 fffffffd'],
  [{ type: 'l', value: -4n }, '6c fffffffffffffffc'],
  [{ type: 'f', value: 1.5 }, '66 3fc00000'],
  [{ type: 'd', value: 1.5 }, '64 3ff8000000000000'],
  [{ type: 'D', value: { scale: 2, value: 314 } }, '44 02 0000013a'],
  [{ type: 'S', value: 'a\u00ff' }, '53 00000002 61ff'],
  [{ type: 'x', value: Buffer.from([0, 255]) }, '78 00000002 00ff'],
  [{ type: 'T', value: 1700000000n }, '54 000000006553f100'],
  [{ type: 'A', value: [{ type: 'V', value: null }] }, '41 00000001 56'],
  [{ type: 'F', value: new Map([['a', { type: 't', value: false }]]) }, '46 00000004 0161 7400'],
  [{ type: 'V', value: null }, '56'],
];

for (const [value, hex] of GOLDEN) {
  test(`type ${value.type} has the bytes RabbitMQ gives it`, () => {
    const table = new Map([['k', value]]);
    assert.equal(encodeTable(table).toString('hex'), tableOf(hex).toString('hex'));
    assert.deepEqual(decode(tableOf(hex)), table);
  });
}

test('L is read as l', () => {
  const table = decode(tableOf('4c fffffffffffffffc'));
  assert.deepEqual(table.get('k'), { type: 'l', value: -4n });
});

test('any octet but 0 is true', () => {
  assert.deepEqual(decode(tableOf('74 02')).get('k'), { type: 't', value: true });
});

test('of a key that comes twice the first is kept', () => {
  const bytes = Buffer.from('00000008 016b7401 016b7400'.replaceAll(' ', ''), 'hex');
  assert.deepEqual([...decode(bytes)], [['k', { type: 't', value: true }]]);
});

test('a table comes back with its types, values and order', () => {
  fc.assert(
    fc.property(fieldTable, (table) => {
      const bytes = encodeTable(table);
      const decoded = decode(bytes);
      assert.deepEqual(decoded, table);
      // Maps of another order are deepEqual; the bytes are not.
      assert.deepEqual(encodeTable(decoded), bytes);
    }),
  );
});

test('a table cut anywhere is a DecodeError', () => {
  fc.assert(
    fc.property(fieldTable, (table) => {
      const bytes = encodeTable(table);
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => decodeTable(bytes, 0, end), DecodeError);
      }
    }),
    { numRuns: 30 },
  );
});

test('bytes after a table are a DecodeError', () => {
  assert.throws(() => decode(Buffer.from([0, 0, 0, 0, 0])), DecodeError);
});

test('a table damaged anywhere is a DecodeError or another table', () => {
  const damaged = fc.tuple(fieldTable, fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(damaged, ([table, where, change]) => {
      const bytes = encodeTable(table);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      try {
        assert.ok(decode(bytes) instanceof Map);
      } catch (error) {
        assert.ok(error instanceof DecodeError, `${error}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('a type letter RabbitMQ does not read is a DecodeError', () => {
  const known = new Set('tbBsuIilLfdDSxTAFV');
  for (let letter = 0; letter < 256; letter++) {
    const bytes = tableOf(`${letter.toString(16).padStart(2, '0')} ${'00'.repeat(8)}`);
    const read = (): FieldTable => decode(bytes);
    if (!known.has(String.fromCharCode(letter))) assert.throws(read, /no field type/);
  }
});

/** A value inside `depth` tables or arrays, as the bytes of a table. */
function nested(letter: 'A' | 'F', depth: number): Buffer {
  // From the inside out: what stands before each level, in the end turned around and joined once.
  const heads: Buffer[] = [];
  let bytes = 0;
  for (let i = 0; i < depth; i++) {
    const key = letter === 'F' || i === depth - 1 ? [1, 0x6b] : [];
    heads.push(Buffer.from([...key, letter.charCodeAt(0), ...lengthOctets(bytes)]));
    bytes += heads[i]!.length;
  }
  heads.push(Buffer.from(lengthOctets(bytes)));
  return Buffer.concat(heads.reverse());
}

function lengthOctets(length: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(length);
  return octets;
}

for (const letter of ['A', 'F'] as const) {
  test(`nesting of ${letter} is read to the limit and no deeper`, () => {
    assert.ok(decode(nested(letter, 63)));
    assert.throws(() => decode(nested(letter, 64)), /nested too deep/);
    assert.throws(() => decode(nested(letter, 1_000)), DecodeError);
    assert.throws(() => decode(nested(letter, 100_000)), DecodeError);
  });
}

test('nesting is written to the limit and no deeper', () => {
  const tower = (depth: number): FieldTable =>
    depth === 1 ? new Map() : new Map([['k', { type: 'F', value: tower(depth - 1) }]]);
  assert.deepEqual(decode(encodeTable(tower(64))), tower(64));
  assert.throws(() => encodeTable(tower(65)), EncodeError);
  assert.throws(() => encodeTable(tower(1_000)), EncodeError);
});

test('a table longer than the limit is neither read nor written', () => {
  const limits = { depth: 64, bytes: 10 };
  const fits: FieldTable = new Map([['k', { type: 'S', value: 'abc' }]]);
  const tooLong: FieldTable = new Map([['k', { type: 'S', value: 'abcd' }]]);
  const bytes = encodeTable(fits, limits);
  assert.deepEqual(decodeTable(bytes, 0, bytes.length, limits), fits);
  assert.throws(() => encodeTable(tooLong, limits), EncodeError);
  const longBytes = encodeTable(tooLong);
  assert.throws(() => decodeTable(longBytes, 0, longBytes.length, limits), /the limit is 10/);
});

test('values that do not fit their type are an EncodeError', () => {
  const misfits: readonly FieldValue[] = [
    { type: 'b', value: 128 },
    { type: 'B', value: -1 },
    { type: 's', value: 32768 },
    { type: 'u', value: 65536 },
    { type: 'I', value: 2 ** 31 },
    { type: 'i', value: 0.5 },
    { type: 'I', value: Number.NaN },
    { type: 'l', value: 2n ** 63n },
    { type: 'T', value: -1n },
    { type: 'D', value: { scale: 256, value: 0 } },
    { type: 'S', value: '\u0100' },
  ];
  for (const value of misfits) {
    assert.throws(() => encodeTable(new Map([['k', value]])), EncodeError, value.type);
  }
  assert.throws(() => encodeTable(new Map([['k'.repeat(256), { type: 'V', value: null }]])), {
    name: 'EncodeError',
    message: 'a short string holds 255 bytes, not 256',
  });
});

test('a byte array read does not share memory with the buffer it came from', () => {
  const bytes = tableOf('78 00000001 2a');
  const value = decode(bytes).get('k');
  bytes.fill(0);
  assert.deepEqual(value, { type: 'x', value: Buffer.from([0x2a]) });
});
