import { DecodeError } from './errors.js';
import { TableCheck } from './table-check.js';

/** Flag bits of the basic properties, in the order the properties follow (0-9-1 §4.2.6.1). */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;
const DELIVERY_MODE = 0x1000;
const PRIORITY = 0x0800;
const CORRELATION_ID = 0x0400;
const REPLY_TO = 0x0200;
const EXPIRATION = 0x0100;
const MESSAGE_ID = 0x0080;
const TIMESTAMP = 0x0040;
const TYPE = 0x0020;
const USER_ID = 0x0010;
const APP_ID = 0x0008;
const CLUSTER_ID = 0x0004;

/** The properties that most publishes have at most: fixed length, nothing to skip over. */
const FIXED = DELIVERY_MODE | PRIORITY;

/** Offset of the property flags in a content header's payload. */
const FLAGS_OFFSET = 12;

/**
 * Reads of a content header what a broker must know, and where the rest stands, without decoding
 * it: one object, filled anew for each header.
 *
 * ```text
 *   0          2        4            12      14
 *   +----------+--------+------------+-------+------------------+
 *   | class id | weight | body size  | flags | properties       |    AMQP 0-9-1 §4.2.6.1
 *   +----------+--------+------------+-------+------------------+
 *      short     short    longlong     short   those flagged
 * ```
 *
 * Like RabbitMQ it ignores the two lowest flag bits, and refuses octets after the last property.
 */
export class ContentHeader {
  classId = 0;
  /** Reserved, and to be 0. */
  weight = 0;
  /** Size of the body to come, in octets; a number, so imprecise above 2^53. */
  bodyBytes = 0;
  /** -1 when absent. */
  deliveryMode = -1;
  /** -1 when absent. */
  priority = -1;
  /** Offsets in the buffer: the table's length field and the octet after the table; -1: absent. */
  headersStart = -1;
  headersEnd = -1;
  /** Whether the headers name CC or BCC: sender-selected distribution. */
  hasSenderSelected = false;
  /** Offsets in the buffer of the short string's length octet; -1: absent. */
  replyToStart = -1;
  expirationStart = -1;
  userIdStart = -1;
  readonly #tableCheck = new TableCheck();

  /** Reads the payload `buffer[start, end)`. Throws {@link DecodeError} when it is malformed. */
  read(buffer: Buffer, start: number, end: number): void {
    if (end - start < FLAGS_OFFSET + 2) throw new DecodeError('content header is too short');
    this.classId = (buffer[start]! << 8) | buffer[start + 1]!;
    this.weight = (buffer[start + 2]! << 8) | buffer[start + 3]!;
    this.bodyBytes = buffer.readUInt32BE(start + 4) * 0x100000000 + buffer.readUInt32BE(start + 8);
    this.deliveryMode = -1;
    this.priority = -1;
    this.headersStart = -1;
    this.headersEnd = -1;
    this.hasSenderSelected = false;
    this.replyToStart = -1;
    this.expirationStart = -1;
    this.userIdStart = -1;
    const flags = (buffer[start + FLAGS_OFFSET]! << 8) | (buffer[start + FLAGS_OFFSET + 1]! & 0xfc);
    const position = start + FLAGS_OFFSET + 2;
    const after =
      (flags & ~FIXED) === 0
        ? this.#readFixed(buffer, flags, position)
        : this.#readAll(buffer, flags, position, end);
    if (after !== end) throw new DecodeError('content header does not end with its last property');
  }

  #readFixed(buffer: Buffer, flags: number, position: number): number {
    if ((flags & DELIVERY_MODE) !== 0) this.deliveryMode = buffer[position++] ?? 0;
    if ((flags & PRIORITY) !== 0) this.priority = buffer[position++] ?? 0;
    return position;
  }

  #readAll(buffer: Buffer, flags: number, position: number, end: number): number {
    let at = position;
    if ((flags & CONTENT_TYPE) !== 0) at = afterShortString(buffer, at, end);
    if ((flags & CONTENT_ENCODING) !== 0) at = afterShortString(buffer, at, end);
    if ((flags & HEADERS) !== 0) {
      this.headersStart = at;
      this.#tableCheck.walk(buffer, at, end);
      this.hasSenderSelected = this.#tableCheck.hasSenderSelected;
      at = this.#tableCheck.end;
      this.headersEnd = at;
    }
    at = this.#readFixed(buffer, flags, at);
    if ((flags & CORRELATION_ID) !== 0) at = afterShortString(buffer, at, end);
    if ((flags & REPLY_TO) !== 0) {
      this.replyToStart = at;
      at = afterShortString(buffer, at, end);
    }
    if ((flags & EXPIRATION) !== 0) {
      this.expirationStart = at;
      at = afterShortString(buffer, at, end);
    }
    if ((flags & MESSAGE_ID) !== 0) at = afterShortString(buffer, at, end);
    if ((flags & TIMESTAMP) !== 0) at += 8;
    if ((flags & TYPE) !== 0) at = afterShortString(buffer, at, end);
    if ((flags & USER_ID) !== 0) {
      this.userIdStart = at;
      at = afterShortString(buffer, at, end);
    }
    if ((flags & APP_ID) !== 0) at = afterShortString(buffer, at, end);
    if ((flags & CLUSTER_ID) !== 0) at = afterShortString(buffer, at, end);
    return at;
  }
}

function afterShortString(buffer: Buffer, at: number, end: number): number {
  if (at >= end) throw new DecodeError('content header ends before its last property');
  return at + 1 + buffer[at]!;
}
