import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fieldTable } from './arbitraries.test.support.js';
import { DecodeError } from './errors.js';
import { type FieldTable, type FieldValue, TABLE_LIMITS } from './field-table.js';
import { decodeTable, encodeTable } from './field-table-codec.js';
import { TableCheck } from './table-check.js';

const check = new TableCheck();

/** What the check says of the table that fills a buffer: undefined if it is refused. */
function checked(bytes: Buffer): { end: number; hasSenderSelected: boolean } | undefined {
  try {
    check.walk(bytes, 0, bytes.length);
  } catch (error) {
    assert.ok(error instanceof DecodeError, `a DecodeError, not ${String(error)}`);
    return undefined;
  }
  return { end: check.end, hasSenderSelected: check.hasSenderSelected };
}

/** Whether a table fills the buffer and can be decoded. */
function decodes(bytes: Buffer): boolean {
  try {
    decodeTable(bytes, 0, bytes.length);
    return true;
  } catch (error) {
    assert.ok(error instanceof DecodeError, `a DecodeError, not ${String(error)}`);
    return false;
  }
}

function assertAgrees(bytes: Buffer): void {
  const result = checked(bytes);
  assert.equal(result !== undefined && result.end === bytes.length, decodes(bytes));
  if (result !== undefined) assert.ok(result.end <= bytes.length, 'within the buffer');
}

test('a table that was encoded is accepted, to its end', () => {
  fc.assert(
    fc.property(fieldTable, fc.nat(20), fc.nat(20), (table, before, after) => {
      const bytes = encodeTable(table);
      const around = Buffer.alloc(before + bytes.length + after, 0xff);
      bytes.copy(around, before);
      check.walk(around, before, around.length);
      assert.equal(check.end, before + bytes.length);
      assert.equal(check.hasSenderSelected, table.has('CC') || table.has('BCC'));
    }),
  );
});

test('a table cut anywhere is refused, whatever lies behind it', () => {
  fc.assert(
    fc.property(fieldTable, (table) => {
      const bytes = encodeTable(table);
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => check.walk(bytes, 0, end), DecodeError);
        assert.equal(checked(Buffer.from(bytes.subarray(0, end))), undefined);
      }
    }),
    { numRuns: 50 },
  );
});

test('octets changed at random: accepted if and only if it can be decoded', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), typeLetter())), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(fieldTable, changes, (table, octets) => {
      const bytes = encodeTable(table);
      for (const [place, octet] of octets) bytes[place % bytes.length] = octet;
      assertAgrees(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('octets put in and taken out: accepted if and only if it can be decoded', () => {
  const piece = fc.uint8Array({ maxLength: 8 });
  fc.assert(
    fc.property(fieldTable, fc.nat(), fc.nat(8), piece, (table, place, removed, added) => {
      const bytes = encodeTable(table);
      const at = 4 + (place % (bytes.length - 3));
      const changed = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
      changed.writeUInt32BE(changed.length - 4);
      assertAgrees(changed);
    }),
    { numRuns: 2000 },
  );
});

test('arbitrary octets in a table of the right length', () => {
  const soup = fc.array(fc.oneof(fc.nat(4), typeLetter(), fc.nat(255)), { maxLength: 40 });
  fc.assert(
    fc.property(soup, (octets) => {
      const bytes = Buffer.from([0, 0, 0, octets.length, ...octets]);
      assertAgrees(bytes);
    }),
    { numRuns: 3000 },
  );
});

test('every octet of an array and a table of all types changed to every other', () => {
  const values: FieldValue[] = [
    { type: 't', value: true },
    { type: 's', value: -2 },
    { type: 'I', value: 3 },
    { type: 'D', value: { scale: 1, value: 5 } },
    { type: 'l', value: 6n },
    { type: 'S', value: 'text' },
    { type: 'V', value: null },
    { type: 'x', value: Buffer.from('octets') },
  ];
  const entries = values.map((value, i): [string, FieldValue] => [`k${i}`, value]);
  const table: FieldTable = new Map<string, FieldValue>([
    ['array', { type: 'A', value: values }],
    ['table', { type: 'F', value: new Map(entries) }],
    ['last', { type: 'A', value: [{ type: 'B', value: 1 }] }],
  ]);
  const bytes = encodeTable(table);
  for (let at = 4; at < bytes.length; at++) {
    const octet = bytes[at]!;
    for (let other = 0; other < 256; other++) {
      bytes[at] = other;
      assertAgrees(bytes);
    }
    bytes[at] = octet;
  }
});

test('tables and arrays may be nested as deep as decoding allows, and no deeper', () => {
  for (const type of ['F', 'A'] as const) {
    for (const depth of [TABLE_LIMITS.depth - 1, TABLE_LIMITS.depth, TABLE_LIMITS.depth + 1]) {
      const bytes = nestedBytes(type, depth);
      assert.equal(checked(bytes) !== undefined, depth <= TABLE_LIMITS.depth, `${type} ${depth}`);
      assertAgrees(bytes);
    }
  }
});

test('a table may be as long as decoding allows, and no longer', () => {
  // The key, its length, the type and the string's length: 7 octets.
  for (const length of [TABLE_LIMITS.bytes - 1, TABLE_LIMITS.bytes, TABLE_LIMITS.bytes + 1]) {
    const bytes = Buffer.alloc(4 + length);
    bytes.writeUInt32BE(length, 0);
    bytes.write('\x01kS', 4, 'latin1');
    bytes.writeUInt32BE(length - 7, 7);
    assert.equal(checked(bytes) !== undefined, length <= TABLE_LIMITS.bytes, `${length} octets`);
    assertAgrees(bytes);
  }
});

test('CC and BCC are seen in the table itself, under exactly these names', () => {
  const array: FieldValue = { type: 'A', value: [] };
  const cases: [FieldTable, boolean][] = [
    [new Map([['CC', array]]), true],
    [new Map([['BCC', array]]), true],
    [
      new Map<string, FieldValue>([
        ['x', { type: 'I', value: 1 }],
        ['BCC', array],
      ]),
      true,
    ],
    [new Map([['CC', { type: 'S', value: 'of the wrong type too' } as const]]), true],
    [
      new Map(
        ['cc', 'Cc', 'C', 'ACC', 'BCCC', 'BBC', 'CCC', 'CCB', ''].map((name) => [name, array]),
      ),
      false,
    ],
    [new Map([['inside', { type: 'F', value: new Map([['CC', array]]) } as const]]), false],
    [new Map([['text', { type: 'S', value: '\x02CCA' } as const]]), false],
  ];
  for (const [table, expected] of cases) {
    assert.equal(
      checked(encodeTable(table))?.hasSenderSelected,
      expected,
      [...table.keys()].join(),
    );
  }
});

test('what was seen in one table is forgotten for the next', () => {
  checked(encodeTable(new Map([['CC', { type: 'V', value: null }]])));
  assert.equal(checked(encodeTable(new Map()))?.hasSenderSelected, false);
});

/** Octets that are field types, so that random ones get somewhere. */
function typeLetter(): fc.Arbitrary<number> {
  return fc.constantFrom(...'tbBsuIilLfdDSxTAFV').map((letter) => letter.charCodeAt(0));
}

/** A table that is `depth` deep, itself counted, of tables or arrays inside it. */
function nestedBytes(type: 'F' | 'A', depth: number): Buffer {
  let inner = Buffer.from([0, 0, 0, 0]);
  for (let level = 1; level < depth - 1; level++) {
    const name = type === 'F' ? '\x01kF' : 'A';
    inner = withLength(Buffer.concat([Buffer.from(name), inner]));
  }
  if (depth > 1) inner = withLength(Buffer.concat([Buffer.from(`\x01k${type}`), inner]));
  return inner;
}

function withLength(bytes: Buffer): Buffer<ArrayBuffer> {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
