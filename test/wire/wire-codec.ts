/**
 * AMQP 0-9-1 methods and content headers as bytes, for tests that send what a real client would
 * not.
 *
 * The method table and the field table codec are amqplib's own, not Leveret's: a mistake in
 * `@leveret/amqp` made on both sides of a test would cancel itself out. Around them stands a writer
 * that refuses nothing: short strings and tables may be given as bytes, right or wrong.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A table's content as amqplib writes it, or as raw bytes (without the length, which is added). */
export type TableArgument = Readonly<Record<string, unknown>> | Uint8Array;
export type WireArgument = number | bigint | boolean | string | TableArgument;
export type WireArguments = Readonly<Record<string, WireArgument>>;

/** A decoded method. `payload` is the frame's, for what decoding would hide. */
export interface Method {
  /** In the specification's form: `queue.declare-ok`. */
  readonly name: string;
  readonly channel: number;
  readonly args: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
}

export interface MethodInfo {
  readonly name: string;
  readonly classId: number;
  readonly methodId: number;
  readonly args: readonly ArgumentInfo[];
}

export interface ArgumentInfo {
  readonly name: string;
  readonly type: string;
  readonly default?: unknown;
}

const require = createRequire(import.meta.url);
// The package exports its API alone; these are private files of a version that is pinned.
const amqplibFolder = join(dirname(require.resolve('amqplib')), 'lib');
const definitions = require(join(amqplibFolder, 'defs.js')) as Record<string, unknown>;
const tables = require(join(amqplibFolder, 'codec.js')) as {
  encodeTable(buffer: Buffer, table: object, offset: number): number;
  decodeFields(bytes: Uint8Array): Record<string, unknown>;
};

/** Every method of AMQP 0-9-1 with RabbitMQ's additions, by name. */
export const methodInfos: ReadonlyMap<string, MethodInfo> = new Map(
  Object.entries(definitions)
    .filter(([key]) => key.startsWith('methodInfo'))
    .map(([, value]) => {
      const info = value as MethodInfo; // amqplib's generated table has this shape
      const name = specificationName(info.name);
      return [name, { ...info, name }];
    }),
);

const nameOfId: ReadonlyMap<number, string> = new Map(
  [...methodInfos.values()].map((info) => [info.classId * 0x10000 + info.methodId, info.name]),
);

const propertyInfos = (definitions.propertiesInfoBasicProperties as { args: ArgumentInfo[] }).args;

/** `QueueDeclareOk` → `queue.declare-ok`. */
function specificationName(name: string): string {
  const [first, ...rest] = name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
  return `${first}.${rest.join('-')}`;
}

export function methodInfo(name: string): MethodInfo {
  const info = methodInfos.get(name);
  if (!info) throw new Error(`no such method: ${name}`);
  return info;
}

/** The payload of a method frame. Arguments left out take the specification's defaults. */
export function encodeMethod(name: string, args: WireArguments = {}): Buffer {
  const info = methodInfo(name);
  for (const key of Object.keys(args)) {
    if (!info.args.some((argument) => argument.name === key)) {
      throw new Error(`${name} has no argument ${key}`);
    }
  }
  const ids = Buffer.alloc(4);
  ids.writeUInt16BE(info.classId, 0);
  ids.writeUInt16BE(info.methodId, 2);
  const parts: Buffer[] = [ids];
  let bits: number | undefined;
  let bit = 0;
  for (const argument of info.args) {
    const value = args[argument.name] ?? (argument.default as WireArgument | undefined);
    if (argument.type === 'bit') {
      // Consecutive bits share an octet, lowest first (0-9-1 §4.2.5.2).
      bits = (bits ?? 0) | (value ? 1 << bit : 0);
      bit++;
      continue;
    }
    if (bits !== undefined) parts.push(Buffer.of(bits));
    bits = undefined;
    bit = 0;
    parts.push(encodeArgument(argument.type, value));
  }
  if (bits !== undefined) parts.push(Buffer.of(bits));
  return Buffer.concat(parts);
}

function encodeArgument(type: string, value: WireArgument | undefined): Buffer {
  switch (type) {
    case 'octet':
      return Buffer.of(Number(value ?? 0));
    case 'short':
      return unsigned(2, Number(value ?? 0));
    case 'long':
      return unsigned(4, Number(value ?? 0));
    case 'longlong':
    case 'timestamp':
      return unsigned(8, BigInt((value ?? 0) as number | bigint));
    case 'shortstr':
      return shortString((value ?? '') as string | Uint8Array);
    case 'longstr':
      return longString((value ?? '') as string | Uint8Array);
    case 'table':
      return longString(tableContent((value ?? {}) as TableArgument));
    default:
      throw new Error(`unknown argument type ${type}`);
  }
}

/** A big-endian unsigned integer of 1, 2, 4 or 8 bytes. */
export function unsigned(width: 1 | 2 | 4 | 8, value: number | bigint): Buffer {
  const bytes = Buffer.alloc(width);
  if (width === 8) bytes.writeBigUInt64BE(BigInt(value));
  else bytes.writeUIntBE(Number(value), 0, width);
  return bytes;
}

export function shortString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string); // Buffer.from takes both, its overloads do not
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

export function longString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string); // see above
  return Buffer.concat([unsigned(4, bytes.length), bytes]);
}

/** A table's content without its length. */
export function tableContent(table: TableArgument): Buffer {
  if (table instanceof Uint8Array) return Buffer.from(table);
  const scratch = Buffer.alloc(256 * 1024);
  const length = tables.encodeTable(scratch, table, 0);
  return scratch.subarray(4, length);
}

/** Decodes the payload of a method frame. */
export function decodeMethod(channel: number, payload: Buffer): Method {
  const name = nameOfId.get(payload.readUInt32BE(0));
  if (!name) throw new Error(`unknown method ${payload.toString('hex', 0, 4)}`);
  return { name, channel, payload, args: decodeArguments(methodInfo(name).args, payload, 4) };
}

function decodeArguments(
  infos: readonly ArgumentInfo[],
  bytes: Buffer,
  start: number,
): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  let offset = start;
  let bit = 0;
  for (const { name, type } of infos) {
    if (type === 'bit') {
      args[name] = (bytes.readUInt8(offset) & (1 << bit)) !== 0;
      bit++;
      continue;
    }
    if (bit > 0) offset++;
    bit = 0;
    const [value, length] = decodeArgument(type, bytes, offset);
    args[name] = value;
    offset += length;
  }
  return args;
}

/** The value at an offset and how many bytes it took. */
function decodeArgument(type: string, bytes: Buffer, offset: number): [unknown, number] {
  switch (type) {
    case 'octet':
      return [bytes.readUInt8(offset), 1];
    case 'short':
      return [bytes.readUInt16BE(offset), 2];
    case 'long':
      return [bytes.readUInt32BE(offset), 4];
    case 'longlong':
    case 'timestamp':
      return [Number(bytes.readBigUInt64BE(offset)), 8];
    case 'shortstr': {
      const length = bytes.readUInt8(offset);
      return [bytes.toString('utf8', offset + 1, offset + 1 + length), 1 + length];
    }
    case 'longstr':
    case 'table': {
      const length = bytes.readUInt32BE(offset);
      const content = bytes.subarray(offset + 4, offset + 4 + length);
      return [type === 'table' ? tables.decodeFields(content) : content.toString(), 4 + length];
    }
    default:
      throw new Error(`unknown argument type ${type}`);
  }
}

/**
 * The payload of a content header frame (0-9-1 §2.3.5.2):
 *
 *     0       2        4           12                14
 *     | class | weight | body size | property flags  | property list ...
 */
export function encodeContentHeader(bodyBytes: number | bigint, properties: WireArguments): Buffer {
  const parts: Buffer[] = [];
  let flags = 0;
  for (const [index, { name, type }] of propertyInfos.entries()) {
    const value = properties[name];
    if (value === undefined) continue;
    flags |= 1 << (15 - index); // from the highest bit down
    parts.push(encodeArgument(type, value));
  }
  return Buffer.concat([
    unsigned(2, 60),
    unsigned(2, 0),
    unsigned(8, bodyBytes),
    unsigned(2, flags),
    ...parts,
  ]);
}

/** The properties in the payload of a content header frame. */
export function decodeProperties(payload: Buffer): Record<string, unknown> {
  const flags = payload.readUInt16BE(12);
  const present = propertyInfos.filter((_, index) => (flags & (1 << (15 - index))) !== 0);
  return decodeArguments(present, payload, 14);
}
