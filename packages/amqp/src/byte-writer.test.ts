import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { DecodeError, EncodeError } from './errors.js';

/** Each primitive type: how it is written, and what reading it gives. */
const PRIMITIVES: Readonly<
  Record<string, readonly [(writer: ByteWriter) => void, (reader: ByteReader) => unknown, unknown]>
> = {
  u8: [(writer) => writer.u8(0xfe), (reader) => reader.u8(), 0xfe],
  u16: [(writer) => writer.u16(0xfedc), (reader) => reader.u16(), 0xfedc],
  u32: [(writer) => writer.u32(0xfedcba98), (reader) => reader.u32(), 0xfedcba98],
  u64: [(writer) => writer.u64(2 ** 52 + 1), (reader) => reader.u64(), 2 ** 52 + 1],
  u64Big: [(writer) => writer.u64Big(2n ** 64n - 1n), (reader) => reader.u64Big(), 2n ** 64n - 1n],
  i8: [(writer) => writer.i8(-2), (reader) => reader.i8(), -2],
  i16: [(writer) => writer.i16(-3), (reader) => reader.i16(), -3],
  i32: [(writer) => writer.i32(-4), (reader) => reader.i32(), -4],
  i64Big: [(writer) => writer.i64Big(-(2n ** 63n)), (reader) => reader.i64Big(), -(2n ** 63n)],
  f32: [(writer) => writer.f32(0.5), (reader) => reader.f32(), 0.5],
  f64: [(writer) => writer.f64(Math.PI), (reader) => reader.f64(), Math.PI],
  shortstr: [(writer) => writer.shortstr('a\u00ff'), (reader) => reader.shortstr(), 'a\u00ff'],
  longstr: [(writer) => writer.longstr('a\u00ff'), (reader) => reader.longstr(), 'a\u00ff'],
  bytes: [
    (writer) => writer.bytes(new Uint8Array([1, 2])),
    (reader) => reader.bytes(2),
    Buffer.from([1, 2]),
  ],
};

for (const [type, [write, read, value]] of Object.entries(PRIMITIVES)) {
  test(`${type} comes back, wherever the buffer has to grow`, () => {
    for (let before = 0; before < 600; before++) {
      const writer = new ByteWriter();
      for (let i = 0; i < before; i++) writer.u8(i & 0xff);
      write(writer);
      writer.u8(0x77);
      const bytes = writer.finish();
      const reader = new ByteReader(bytes, 0, bytes.length);
      for (let i = 0; i < before; i++) assert.equal(reader.u8(), i & 0xff);
      assert.deepEqual(read(reader), value);
      assert.equal(reader.u8(), 0x77);
      reader.finish();
    }
  });

  test(`${type} cut short is a DecodeError`, () => {
    const writer = new ByteWriter();
    write(writer);
    const bytes = writer.finish();
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => read(new ByteReader(bytes, 0, end)), DecodeError);
    }
  });
}

test('a length is filled in after what it counts, though the buffer grew', () => {
  const writer = new ByteWriter();
  const length = writer.reserveLength();
  writer.bytes(Buffer.alloc(1000, 1));
  writer.fillLength(length);
  assert.equal(writer.finish().readUInt32BE(0), 1000);
});

test('numbers out of range are an EncodeError', () => {
  const writer = new ByteWriter();
  const misfits = [-1, 256, 0.5, Number.NaN, Number.POSITIVE_INFINITY];
  for (const value of misfits) assert.throws(() => writer.u8(value), EncodeError);
  assert.throws(() => writer.u16(65536), EncodeError);
  assert.throws(() => writer.u32(2 ** 32), EncodeError);
  assert.throws(() => writer.u64(2 ** 53), EncodeError);
  assert.throws(() => writer.u64Big(2n ** 64n), EncodeError);
  assert.throws(() => writer.i8(-129), EncodeError);
  assert.throws(() => writer.i16(32768), EncodeError);
  assert.throws(() => writer.i32(2 ** 31), EncodeError);
  assert.throws(() => writer.i64Big(2n ** 63n), EncodeError);
  assert.equal(writer.length, 0, 'and nothing was written');
});

test('a part is read on its own', () => {
  const reader = new ByteReader(Buffer.from([1, 2, 3, 4]), 1, 4);
  const part = reader.part(2);
  assert.equal(part.u16(), 0x0203);
  assert.throws(() => part.u8(), DecodeError);
  assert.equal(reader.remaining, 1);
  assert.throws(() => reader.finish(), /1 bytes too many/);
  assert.equal(reader.u8(), 4);
  assert.throws(() => reader.part(1), DecodeError);
});

test('a reader of bytes that are not there is a DecodeError', () => {
  const buffer = Buffer.alloc(4);
  assert.throws(() => new ByteReader(buffer, 0, 5), DecodeError);
  assert.throws(() => new ByteReader(buffer, 3, 2), DecodeError);
  assert.throws(() => new ByteReader(buffer, -1, 2), DecodeError);
});
