import {
  type BasicProperties,
  decodeHeaders,
  decodeProperties,
  encodeContentHeaderFrame,
  type FieldTable,
  FRAME_HEADER_SIZE,
  FRAME_OVERHEAD,
  SHORTSTR_MAX_BYTES,
} from '@leveret/amqp';
import { copyBytes } from '../../base/copy-bytes.js';
import { invariant } from '../../base/invariant.js';
import { Message } from '../../core/message.js';
import type { Slab } from '../../store/free-slabs.js';
import type { SlabAllocator } from '../../store/slab.js';
import type { AddressReader } from './address-reader.js';
import { readKeys, storedKeysBytes, writeKeys } from './stored-keys.js';

const NO_HEADERS: FieldTable = new Map();

/** Name the stored forms in a journal: the usual one, and one with further routing keys. */
const AMQP_FORMAT = 1;
const AMQP_FORMAT_WITH_KEYS = 2;

/** Octets of the stored form before the address: the address's length. */
const STORED_HEAD_BYTES = 2;

/** Where the body's size stands in a content header's payload. */
const BODY_BYTES_OFFSET = 4;

/** Octets of a content header's payload before the property flags: class, weight, body size. */
const PROPERTIES_OFFSET = 12;

/**
 * A message as its publisher's frames: they go out to consumers as they came in, but for the
 * channel number.
 *
 * ```text
 *   addressStart            addressEnd    framesStart                        framesEnd
 *   | exchange | routing key |  (2 octets)  | header frame | body frame | ... |
 *     short      short                        of the publish, channel numbers and all
 *     string     string
 * ```
 *
 * It lives in two forms: the one *passing* object of a channel, filled anew for each publish, with
 * bytes borrowed from what was read off the socket; and a *kept* copy in a slab.
 */
export class AmqpMessage extends Message {
  buffer: Buffer = EMPTY;
  addressStart = 0;
  addressEnd = 0;
  framesStart = 0;
  framesEnd = 0;
  bodyBytes = 0;
  readonly #slabs: SlabAllocator;
  #slab: Slab | undefined = undefined;
  #holders = 0;
  /** Of a passing message: what {@link keep} made of it. */
  #kept: AmqpMessage | undefined = undefined;

  constructor(slabs: SlabAllocator) {
    super();
    this.#slabs = slabs;
  }

  /**
   * A kept message from its stored form: `buffer[start, end)`, as {@link writeTo} wrote it. Throws
   * a RangeError if it is of another format.
   */
  static restore(
    slabs: SlabAllocator,
    address: AddressReader,
    { format, priority }: Pick<Message, 'format' | 'priority'>,
    buffer: Buffer,
    start: number,
    end: number,
  ): AmqpMessage {
    if (format !== AMQP_FORMAT && format !== AMQP_FORMAT_WITH_KEYS) {
      throw new RangeError(`no protocol has format ${format}`);
    }
    const further = format === AMQP_FORMAT_WITH_KEYS ? readKeys(buffer, start) : undefined;
    const headStart = further?.end ?? start;
    const addressStart = headStart + STORED_HEAD_BYTES;
    const framesStart = addressStart + buffer.readUInt16BE(headStart);
    const message = new AmqpMessage(slabs);
    message.extraRoutingKeys = further?.keys;
    address.read(buffer, addressStart, framesStart);
    message.exchange = address.exchange;
    message.routingKey = address.routingKey;
    message.persistent = true;
    message.priority = priority;
    const bodyBytesAt = framesStart + FRAME_HEADER_SIZE + BODY_BYTES_OFFSET;
    message.bodyBytes =
      buffer.readUInt32BE(bodyBytesAt) * 0x1_0000_0000 + buffer.readUInt32BE(bodyBytesAt + 4);
    message.buffer = buffer;
    message.addressStart = addressStart;
    message.addressEnd = framesStart;
    message.framesStart = framesStart;
    message.framesEnd = end;
    message.#settleIn(message);
    return message;
  }

  /** Forgets, in a passing message, the one published before. */
  renew(): void {
    this.#kept = undefined;
    this.extraRoutingKeys = undefined;
  }

  headers(): FieldTable {
    return this.#decode(decodeHeaders) ?? NO_HEADERS;
  }

  properties(): BasicProperties {
    return this.#decode(decodeProperties);
  }

  body(): Buffer {
    const pieces: Buffer[] = [];
    let at = this.bodyFramesStart;
    while (at < this.framesEnd) {
      const end = at + FRAME_HEADER_SIZE + this.buffer.readUInt32BE(at + 3);
      pieces.push(this.buffer.subarray(at + FRAME_HEADER_SIZE, end));
      at = end + 1;
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  }

  /** Where the first body frame begins, if there is any. */
  get bodyFramesStart(): number {
    return this.framesStart + FRAME_OVERHEAD + this.buffer.readUInt32BE(this.framesStart + 3);
  }

  /** Changes the properties of a passing message: it gets bytes of its own, with a new header. */
  replaceProperties(properties: BasicProperties): void {
    const address = this.buffer.subarray(this.addressStart, this.addressEnd);
    this.#compose(address, properties, this);
  }

  withProperties(properties: BasicProperties): AmqpMessage {
    const changed = this.#passingCopy();
    changed.replaceProperties(properties);
    return changed;
  }

  readdressed(exchange: string, routingKey: string, properties: BasicProperties): AmqpMessage {
    const changed = this.#passingCopy();
    // An argument or a policy may name a longer key than a frame has room for.
    const key = routingKey.slice(0, SHORTSTR_MAX_BYTES);
    changed.exchange = exchange;
    changed.routingKey = key;
    changed.expirationMilliseconds = -1;
    changed.#compose(encodeAddress(exchange, key), properties, this);
    return changed;
  }

  keep(): AmqpMessage {
    if (this.#slab !== undefined) return this;
    // Whoever had it kept may have let go of it already.
    const kept = this.#kept;
    if (kept !== undefined && kept.#slab !== undefined) return kept;
    this.#kept = this.#copy();
    return this.#kept;
  }

  get format(): number {
    return this.extraRoutingKeys === undefined ? AMQP_FORMAT : AMQP_FORMAT_WITH_KEYS;
  }

  get storedBytes(): number {
    const { extraRoutingKeys, addressStart, addressEnd, framesStart, framesEnd } = this;
    const bytes = STORED_HEAD_BYTES + addressEnd - addressStart + framesEnd - framesStart;
    return extraRoutingKeys === undefined ? bytes : bytes + storedKeysBytes(extraRoutingKeys);
  }

  /**
   * The stored form: what was published, without the two octets between address and frames.
   *
   * ```text
   *   | further keys | address length | exchange | routing key | header frame | body frame | ...
   *     if any         u16
   * ```
   */
  writeTo(buffer: Buffer, start: number): void {
    const { extraRoutingKeys, addressStart, addressEnd, framesStart, framesEnd } = this;
    const at = extraRoutingKeys === undefined ? start : writeKeys(extraRoutingKeys, buffer, start);
    buffer.writeUInt16BE(addressEnd - addressStart, at);
    const addressAt = at + STORED_HEAD_BYTES;
    copyBytes(this.buffer, addressStart, addressEnd, buffer, addressAt);
    const framesAt = addressAt + addressEnd - addressStart;
    copyBytes(this.buffer, framesStart, framesEnd, buffer, framesAt);
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    invariant(this.#slab !== undefined, 'a message was released that nobody kept');
    if (--this.#holders > 0) return;
    this.#slabs.release(this.#slab, this.framesEnd - this.addressStart);
    this.#slab = undefined;
  }

  compact(): void {
    const slab = this.#slab;
    if (slab === undefined || !this.#slabs.isMostlyDead(slab)) return;
    const bytes = this.framesEnd - this.addressStart;
    this.#settleIn(this);
    this.#slabs.release(slab, bytes);
  }

  #decode<T>(decode: (buffer: Buffer, start: number, end: number) => T): T {
    const start = this.framesStart + FRAME_HEADER_SIZE;
    const end = start + this.buffer.readUInt32BE(this.framesStart + 3);
    return decode(this.buffer, start + PROPERTIES_OFFSET, end);
  }

  #copy(): AmqpMessage {
    const kept = this.#likeness();
    kept.#settleIn(this);
    return kept;
  }

  /** Another message object about the same bytes. */
  #passingCopy(): AmqpMessage {
    const copy = this.#likeness();
    copy.buffer = this.buffer;
    copy.addressStart = this.addressStart;
    copy.addressEnd = this.addressEnd;
    copy.framesStart = this.framesStart;
    copy.framesEnd = this.framesEnd;
    return copy;
  }

  /** Another message object that says the same, and has no bytes yet. */
  #likeness(): AmqpMessage {
    const copy = new AmqpMessage(this.#slabs);
    copy.exchange = this.exchange;
    copy.routingKey = this.routingKey;
    copy.persistent = this.persistent;
    copy.priority = this.priority;
    copy.expirationMilliseconds = this.expirationMilliseconds;
    copy.extraRoutingKeys = this.extraRoutingKeys;
    copy.bodyBytes = this.bodyBytes;
    return copy;
  }

  /** Takes bytes of its own: an address, a new content header, and the body of `from`. */
  #compose(address: Buffer, properties: BasicProperties, from: AmqpMessage): void {
    const channel = from.buffer.readUInt16BE(from.framesStart + 1);
    const header = encodeContentHeaderFrame(channel, from.bodyBytes, properties);
    const body = from.buffer.subarray(from.bodyFramesStart, from.framesEnd);
    this.buffer = Buffer.concat([address, header, body]);
    this.addressStart = 0;
    this.addressEnd = address.length;
    this.framesStart = address.length;
    this.framesEnd = this.buffer.length;
  }

  /** Takes the bytes of `from`, which may be this message itself, into a slab. */
  #settleIn(from: AmqpMessage): void {
    const { buffer, addressStart, addressEnd, framesStart, framesEnd } = from;
    const slab = this.#slabs.allocate(framesEnd - addressStart);
    const { offset } = this.#slabs;
    copyBytes(buffer, addressStart, framesEnd, slab.buffer, offset);
    const moved = offset - addressStart;
    this.buffer = slab.buffer;
    this.addressStart = offset;
    this.addressEnd = addressEnd + moved;
    this.framesStart = framesStart + moved;
    this.framesEnd = framesEnd + moved;
    this.#slab = slab;
  }
}

const EMPTY = Buffer.alloc(0);

/** Exchange and routing key as they stand in a publish: two short strings. */
function encodeAddress(exchange: string, routingKey: string): Buffer {
  const address = Buffer.alloc(2 + exchange.length + routingKey.length);
  address[0] = exchange.length;
  address.write(exchange, 1, 'latin1');
  address[1 + exchange.length] = routingKey.length;
  address.write(routingKey, 2 + exchange.length, 'latin1');
  return address;
}
