import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { FieldTable } from './field-table.js';
import { readTable, writeTable } from './field-table-codec.js';

/** A message's properties, all optional. Strings are wire strings of at most 255 bytes. */
export interface BasicProperties {
  /** MIME type of the body. */
  contentType?: string;
  /** MIME encoding of the body, such as `gzip`. */
  contentEncoding?: string;
  headers?: FieldTable;
  /** 2 asks for the message to survive a restart in a durable queue; 1 does not. */
  deliveryMode?: number;
  /** 0 to 255. */
  priority?: number;
  correlationId?: string;
  replyTo?: string;
  /** Time to live in milliseconds, in decimal digits. */
  expiration?: string;
  messageId?: string;
  /** Seconds since 1970. */
  timestamp?: bigint;
  type?: string;
  /** If given it must be the name of the user who publishes. */
  userId?: string;
  appId?: string;
  /** Obsolete; passed on unchanged. */
  clusterId?: string;
}

/** The flags of the headers, and of what may come before them. */
const CONTENT_TYPE = 1 << 15;
const CONTENT_ENCODING = 1 << 14;
const HEADERS = 1 << 13;

type PropertyType = 'shortstr' | 'octet' | 'timestamp' | 'table';

/**
 * The table of properties. Their values follow the flags in this order, those whose bit is set:
 *
 *     +---------+-----------------+-----------------+ - - -
 *     |  flags  | value of the    | value of the    |
 *     |         | highest bit set | next bit set    |
 *     +---------+-----------------+-----------------+ - - -
 *        short
 *
 * Bits 1 and 0 mean nothing, as in RabbitMQ: no property has bit 1, and bit 0, which in the
 * specification announces another word of flags (spec 4.2.6.1), would announce only properties that
 * do not exist.
 */
const PROPERTIES: readonly {
  readonly flag: number;
  readonly name: keyof BasicProperties;
  readonly type: PropertyType;
}[] = [
  { flag: CONTENT_TYPE, name: 'contentType', type: 'shortstr' },
  { flag: CONTENT_ENCODING, name: 'contentEncoding', type: 'shortstr' },
  { flag: HEADERS, name: 'headers', type: 'table' },
  { flag: 1 << 12, name: 'deliveryMode', type: 'octet' },
  { flag: 1 << 11, name: 'priority', type: 'octet' },
  { flag: 1 << 10, name: 'correlationId', type: 'shortstr' },
  { flag: 1 << 9, name: 'replyTo', type: 'shortstr' },
  { flag: 1 << 8, name: 'expiration', type: 'shortstr' },
  { flag: 1 << 7, name: 'messageId', type: 'shortstr' },
  { flag: 1 << 6, name: 'timestamp', type: 'timestamp' },
  { flag: 1 << 5, name: 'type', type: 'shortstr' },
  { flag: 1 << 4, name: 'userId', type: 'shortstr' },
  { flag: 1 << 3, name: 'appId', type: 'shortstr' },
  { flag: 1 << 2, name: 'clusterId', type: 'shortstr' },
];

/** Reads the flags and properties that fill `buffer` from `start` to `end`. Throws DecodeError. */
export function decodeProperties(buffer: Buffer, start: number, end: number): BasicProperties {
  const reader = new ByteReader(buffer, start, end);
  const flags = reader.u16();
  const properties: Record<string, unknown> = {};
  for (const { flag, name, type } of PROPERTIES) {
    if ((flags & flag) !== 0) properties[name] = readProperty(reader, type);
  }
  reader.finish();
  // The table above gives each name the type BasicProperties has for it.
  return properties as BasicProperties;
}

/**
 * The headers alone; undefined if there are none. What stands behind them is not looked at. Throws
 * DecodeError.
 */
export function decodeHeaders(buffer: Buffer, start: number, end: number): FieldTable | undefined {
  const reader = new ByteReader(buffer, start, end);
  const flags = reader.u16();
  if ((flags & CONTENT_TYPE) !== 0) reader.shortstr();
  if ((flags & CONTENT_ENCODING) !== 0) reader.shortstr();
  return (flags & HEADERS) === 0 ? undefined : readTable(reader);
}

/** The flags and the values of the properties that are set. Throws EncodeError. */
export function encodeProperties(properties: Readonly<BasicProperties>): Buffer {
  const writer = new ByteWriter();
  let flags = 0;
  for (const { flag, name } of PROPERTIES) {
    if (properties[name] !== undefined) flags |= flag;
  }
  writer.u16(flags);
  for (const { name } of PROPERTIES) {
    const value = properties[name];
    if (value !== undefined) writeProperty(writer, value);
  }
  return writer.finish();
}

function readProperty(reader: ByteReader, type: PropertyType): unknown {
  switch (type) {
    case 'shortstr':
      return reader.shortstr();
    case 'octet':
      return reader.u8();
    case 'timestamp':
      return reader.u64Big();
    case 'table':
      return readTable(reader);
  }
}

function writeProperty(writer: ByteWriter, value: string | number | bigint | FieldTable): void {
  // Each of the four property types is a JavaScript type of its own.
  if (typeof value === 'string') writer.shortstr(value);
  else if (typeof value === 'number') writer.u8(value);
  else if (typeof value === 'bigint') writer.u64Big(value);
  else writeTable(writer, value);
}
