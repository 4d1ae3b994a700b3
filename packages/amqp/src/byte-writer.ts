import { SHORTSTR_MAX_BYTES } from './constants.js';
import { EncodeError } from './errors.js';

const INITIAL_BYTES = 256;

/**
 * Appends AMQP's primitive types (spec 4.2.5, all big-endian) to a buffer that grows. For
 * everything but the few methods every message needs, which are written by hand.
 *
 * A value out of its type's range is an EncodeError; nothing is wrapped around or rounded.
 */
export class ByteWriter {
  #buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** The bytes written. The writer must not be used afterwards: they are not copied. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  u8(value: number): void {
    assertInteger(value, 0, 0xff);
    const at = this.#advance(1);
    this.#buffer.writeUInt8(value, at);
  }

  u16(value: number): void {
    assertInteger(value, 0, 0xffff);
    const at = this.#advance(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    assertInteger(value, 0, 0xffffffff);
    const at = this.#advance(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  /** A 64-bit number as a JavaScript number: 0 to 2^53 - 1, beyond which it would not be exact. */
  u64(value: number): void {
    assertInteger(value, 0, Number.MAX_SAFE_INTEGER);
    this.u64Big(BigInt(value));
  }

  u64Big(value: bigint): void {
    if (BigInt.asUintN(64, value) !== value) throw outOfRange(value);
    const at = this.#advance(8);
    this.#buffer.writeBigUInt64BE(value, at);
  }

  i8(value: number): void {
    assertInteger(value, -0x80, 0x7f);
    const at = this.#advance(1);
    this.#buffer.writeInt8(value, at);
  }

  i16(value: number): void {
    assertInteger(value, -0x8000, 0x7fff);
    const at = this.#advance(2);
    this.#buffer.writeInt16BE(value, at);
  }

  i32(value: number): void {
    assertInteger(value, -0x80000000, 0x7fffffff);
    const at = this.#advance(4);
    this.#buffer.writeInt32BE(value, at);
  }

  i64Big(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange(value);
    const at = this.#advance(8);
    this.#buffer.writeBigInt64BE(value, at);
  }

  f32(value: number): void {
    const at = this.#advance(4);
    this.#buffer.writeFloatBE(value, at);
  }

  f64(value: number): void {
    const at = this.#advance(8);
    this.#buffer.writeDoubleBE(value, at);
  }

  /** One length octet, then the bytes of a wire string of at most 255. */
  shortstr(wire: string): void {
    if (wire.length > SHORTSTR_MAX_BYTES) {
      throw new EncodeError(`a short string holds 255 bytes, not ${wire.length}`);
    }
    this.u8(wire.length);
    this.#latin1(wire);
  }

  /** Four length octets, then the bytes of a wire string. */
  longstr(wire: string): void {
    this.u32(wire.length);
    this.#latin1(wire);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#advance(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** Leaves room for a 32-bit length of what follows; give the result to `fillLength`. */
  reserveLength(): number {
    return this.#advance(4);
  }

  /** Writes the number of bytes that followed `reserveLength` into the room it left. */
  fillLength(reserved: number): void {
    this.#buffer.writeUInt32BE(this.#length - reserved - 4, reserved);
  }

  #latin1(wire: string): void {
    for (let i = 0; i < wire.length; i++) {
      if (wire.charCodeAt(i) > 0xff) {
        throw new EncodeError('not a wire string: convert text with toWire first');
      }
    }
    const at = this.#advance(wire.length);
    this.#buffer.write(wire, at, 'latin1');
  }

  /** Makes room for bytes and returns where they go. May replace the buffer, so call it first. */
  #advance(bytes: number): number {
    const start = this.#length;
    const needed = start + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, start);
      this.#buffer = grown;
    }
    this.#length = needed;
    return start;
  }
}

function assertInteger(value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) throw outOfRange(value);
}

function outOfRange(value: number | bigint): EncodeError {
  return new EncodeError(`${value} is out of its type's range`);
}
