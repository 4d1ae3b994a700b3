import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { DecodeError, EncodeError } from './errors.js';
import { type FieldTable, type FieldValue, TABLE_LIMITS, type TableLimits } from './field-table.js';

/*
 *     0          4                                              4 + length
 *     +----------+---------+-----------+------+----------+ - - - +
 *     |  length  | key len | key bytes | type |  value   |  ...  |
 *     +----------+---------+-----------+------+----------+ - - - +
 *        long       octet               octet   by type            an array has no keys
 */

/**
 * Reads the table that fills `buffer` from `start` to `end`, its length first. Throws DecodeError.
 */
export function decodeTable(
  buffer: Buffer,
  start: number,
  end: number,
  limits: TableLimits = TABLE_LIMITS,
): FieldTable {
  const reader = new ByteReader(buffer, start, end);
  const table = readTable(reader, limits);
  reader.finish();
  return table;
}

/** A table's bytes, its length first. Throws EncodeError. */
export function encodeTable(table: FieldTable, limits: TableLimits = TABLE_LIMITS): Buffer {
  const writer = new ByteWriter();
  writeTable(writer, table, limits);
  return writer.finish();
}

/** Reads a table, its length first. */
export function readTable(reader: ByteReader, limits: TableLimits = TABLE_LIMITS): FieldTable {
  const length = reader.u32();
  if (length > limits.bytes) {
    throw new DecodeError(`a table of ${length} bytes, the limit is ${limits.bytes}`);
  }
  return readEntries(reader.part(length), limits.depth);
}

/** Appends a table, its length first. */
export function writeTable(
  writer: ByteWriter,
  table: FieldTable,
  limits: TableLimits = TABLE_LIMITS,
): void {
  const start = writer.length;
  writeEntries(writer, table, limits.depth);
  const length = writer.length - start - 4;
  if (length > limits.bytes) {
    throw new EncodeError(`a table of ${length} bytes, the limit is ${limits.bytes}`);
  }
}

function readEntries(reader: ByteReader, depthLeft: number): FieldTable {
  if (depthLeft === 0) throw new DecodeError('tables nested too deep');
  const table = new Map<string, FieldValue>();
  while (reader.remaining > 0) {
    const key = reader.shortstr();
    const value = readValue(reader, depthLeft);
    if (!table.has(key)) table.set(key, value);
  }
  return table;
}

function readArray(reader: ByteReader, depthLeft: number): FieldValue[] {
  if (depthLeft === 0) throw new DecodeError('arrays nested too deep');
  const values: FieldValue[] = [];
  while (reader.remaining > 0) values.push(readValue(reader, depthLeft));
  return values;
}

function readValue(reader: ByteReader, depthLeft: number): FieldValue {
  const type = String.fromCharCode(reader.u8());
  switch (type) {
    case 't':
      return { type, value: reader.u8() !== 0 };
    case 'b':
      return { type, value: reader.i8() };
    case 'B':
      return { type, value: reader.u8() };
    case 's':
      return { type, value: reader.i16() };
    case 'u':
      return { type, value: reader.u16() };
    case 'I':
      return { type, value: reader.i32() };
    case 'i':
      return { type, value: reader.u32() };
    case 'l':
    case 'L':
      return { type: 'l', value: reader.i64Big() };
    case 'f':
      return { type, value: reader.f32() };
    case 'd':
      return { type, value: reader.f64() };
    case 'D':
      return { type, value: { scale: reader.u8(), value: reader.u32() } };
    case 'S':
      return { type, value: reader.longstr() };
    case 'x':
      return { type, value: reader.bytes(reader.u32()) };
    case 'T':
      return { type, value: reader.u64Big() };
    case 'A':
      return { type, value: readArray(reader.part(reader.u32()), depthLeft - 1) };
    case 'F':
      return { type, value: readEntries(reader.part(reader.u32()), depthLeft - 1) };
    case 'V':
      return { type, value: null };
    default:
      throw new DecodeError(`no field type 0x${type.charCodeAt(0).toString(16).padStart(2, '0')}`);
  }
}

function writeEntries(writer: ByteWriter, table: FieldTable, depthLeft: number): void {
  if (depthLeft === 0) throw new EncodeError('tables nested too deep');
  const length = writer.reserveLength();
  for (const [key, value] of table) {
    writer.shortstr(key);
    writeValue(writer, value, depthLeft);
  }
  writer.fillLength(length);
}

function writeArray(writer: ByteWriter, values: readonly FieldValue[], depthLeft: number): void {
  if (depthLeft === 0) throw new EncodeError('arrays nested too deep');
  const length = writer.reserveLength();
  for (const value of values) writeValue(writer, value, depthLeft);
  writer.fillLength(length);
}

function writeValue(writer: ByteWriter, field: FieldValue, depthLeft: number): void {
  writer.u8(field.type.charCodeAt(0));
  switch (field.type) {
    case 't':
      writer.u8(field.value ? 1 : 0);
      break;
    case 'b':
      writer.i8(field.value);
      break;
    case 'B':
      writer.u8(field.value);
      break;
    case 's':
      writer.i16(field.value);
      break;
    case 'u':
      writer.u16(field.value);
      break;
    case 'I':
      writer.i32(field.value);
      break;
    case 'i':
      writer.u32(field.value);
      break;
    case 'l':
      writer.i64Big(field.value);
      break;
    case 'f':
      writer.f32(field.value);
      break;
    case 'd':
      writer.f64(field.value);
      break;
    case 'D':
      writer.u8(field.value.scale);
      writer.u32(field.value.value);
      break;
    case 'S':
      writer.longstr(field.value);
      break;
    case 'x':
      writer.u32(field.value.length);
      writer.bytes(field.value);
      break;
    case 'T':
      writer.u64Big(field.value);
      break;
    case 'A':
      writeArray(writer, field.value, depthLeft - 1);
      break;
    case 'F':
      writeEntries(writer, field.value, depthLeft - 1);
      break;
    case 'V':
      break;
  }
}
