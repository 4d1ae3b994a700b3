import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { MalformedUtf8Error, UnknownMethodError } from './errors.js';
import type { FieldTable } from './field-table.js';
import { readTable, writeTable } from './field-table-codec.js';
import { type FieldType, METHOD_ROWS, type MethodName, type MethodRow } from './methods.js';
import type { DecodedMethod, MethodInput } from './types.js';
import { isUtf8 } from './wire-string.js';

type FieldValues = Record<string, boolean | number | string | FieldTable>;

/** A step reads or writes one field, or a run of neighbouring bits. */
type ReadStep = (reader: ByteReader, values: FieldValues) => void;
type WriteStep = (writer: ByteWriter, values: FieldValues) => void;

/** One row of the table, made into steps. */
interface MethodCodec {
  readonly name: MethodName;
  readonly classId: number;
  readonly methodId: number;
  readonly readSteps: readonly ReadStep[];
  readonly writeSteps: readonly WriteStep[];
}

const BITS_IN_OCTET = 8;

const CODECS_BY_NAME: ReadonlyMap<MethodName, MethodCodec> = compileAll();
const CODECS_BY_ID: ReadonlyMap<number, MethodCodec> = new Map(
  [...CODECS_BY_NAME.values()].map((codec) => [idKey(codec.classId, codec.methodId), codec]),
);

/**
 * Reads the method whose payload fills `buffer` from `start` to `end`.
 *
 * Throws UnknownMethodError if the table has no such method, and DecodeError if the fields are cut
 * short or have bytes left over. As in RabbitMQ a short string that is not UTF-8 is a
 * MalformedUtf8Error, but not in the methods that carry content: their routing keys may be any
 * bytes.
 */
export function decodeMethod(buffer: Buffer, start: number, end: number): DecodedMethod {
  const reader = new ByteReader(buffer, start, end);
  const classId = reader.u16();
  const methodId = reader.u16();
  const codec = CODECS_BY_ID.get(idKey(classId, methodId));
  if (codec === undefined) throw new UnknownMethodError(classId, methodId);
  const values: FieldValues = {};
  for (const step of codec.readSteps) step(reader, values);
  reader.finish();
  // The steps were made from the very row that DecodedMethod is computed from.
  return { name: codec.name, args: values } as unknown as DecodedMethod;
}

/** A method's payload. Throws EncodeError if a value does not fit its field. */
export function encodeMethod<N extends MethodName>(name: N, args: MethodInput<N>): Buffer {
  const writer = new ByteWriter();
  writeMethod(writer, name, args);
  return writer.finish();
}

/** Appends a method's payload to a writer. */
export function writeMethod<N extends MethodName>(
  writer: ByteWriter,
  name: N,
  args: MethodInput<N>,
): void {
  const codec = CODECS_BY_NAME.get(name);
  if (codec === undefined) throw new TypeError(`no method ${name}`);
  writer.u16(codec.classId);
  writer.u16(codec.methodId);
  // The steps look up by name exactly the fields that the type of args was computed from.
  const values = args as FieldValues;
  for (const step of codec.writeSteps) step(writer, values);
}

function idKey(classId: number, methodId: number): number {
  return classId * 0x10000 + methodId;
}

function compileAll(): Map<MethodName, MethodCodec> {
  // Object.entries forgets that the keys are the method names.
  const rows = Object.entries(METHOD_ROWS) as [MethodName, MethodRow][];
  return new Map(rows.map(([name, row]) => [name, compile(name, row)]));
}

function compile(name: MethodName, row: MethodRow): MethodCodec {
  const readSteps: ReadStep[] = [];
  const writeSteps: WriteStep[] = [];
  let bits: string[] = [];
  for (const [field, type] of Object.entries(row.fields)) {
    if (type === 'bit' && bits.length > 0 && bits.length < BITS_IN_OCTET) {
      // The steps already made for this run of bits hold the same array.
      bits.push(field);
    } else if (type === 'bit') {
      bits = [field];
      readSteps.push(readBits(bits));
      writeSteps.push(writeBits(bits));
    } else {
      bits = [];
      readSteps.push(readField(field, type, row.content === true));
      writeSteps.push(writeField(field, type));
    }
  }
  return { name, classId: row.classId, methodId: row.methodId, readSteps, writeSteps };
}

function readBits(fields: readonly string[]): ReadStep {
  return (reader, values) => {
    const octet = reader.u8();
    fields.forEach((field, bit) => {
      values[field] = (octet & (1 << bit)) !== 0;
    });
  };
}

function writeBits(fields: readonly string[]): WriteStep {
  return (writer, values) => {
    let octet = 0;
    fields.forEach((field, bit) => {
      if (values[field] === true) octet |= 1 << bit;
    });
    writer.u8(octet);
  };
}

type PlainType = Exclude<FieldType, 'bit'>;

function readField(field: string, type: PlainType, anyBytes: boolean): ReadStep {
  switch (type) {
    case 'octet':
      return (reader, values) => {
        values[field] = reader.u8();
      };
    case 'short':
      return (reader, values) => {
        values[field] = reader.u16();
      };
    case 'long':
      return (reader, values) => {
        values[field] = reader.u32();
      };
    case 'longlong':
      return (reader, values) => {
        values[field] = reader.u64();
      };
    case 'shortstr':
      return (reader, values) => {
        const wire = reader.shortstr();
        if (!anyBytes && !isUtf8(wire)) throw new MalformedUtf8Error();
        values[field] = wire;
      };
    case 'longstr':
      return (reader, values) => {
        values[field] = reader.longstr();
      };
    case 'table':
      return (reader, values) => {
        values[field] = readTable(reader);
      };
  }
}

/** The casts to a field's type hold because MethodInput is computed from the same row. */
function writeField(field: string, type: PlainType): WriteStep {
  switch (type) {
    case 'octet':
      return (writer, values) => writer.u8(values[field] as number);
    case 'short':
      if (field === 'ticket') return (writer, values) => writer.u16((values[field] ?? 0) as number);
      return (writer, values) => writer.u16(values[field] as number);
    case 'long':
      return (writer, values) => writer.u32(values[field] as number);
    case 'longlong':
      return (writer, values) => writer.u64(values[field] as number);
    case 'shortstr':
      return (writer, values) => writer.shortstr(values[field] as string);
    case 'longstr':
      return (writer, values) => writer.longstr(values[field] as string);
    case 'table':
      return (writer, values) => writeTable(writer, values[field] as FieldTable);
  }
}
