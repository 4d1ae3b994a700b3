import { DecodeError } from './errors.js';

/**
 * Reads AMQP's primitive types (spec 4.2.5, all big-endian) one after the other from a part of a
 * buffer. The counterpart of ByteWriter. Reading past the end is a DecodeError.
 */
export class ByteReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #position: number;

  /** Reads `buffer` from `start` up to, but not including, `end`. */
  constructor(buffer: Buffer, start: number, end: number) {
    if (start < 0 || start > end || end > buffer.length) {
      throw new DecodeError(`no bytes ${start} to ${end} in ${buffer.length}`);
    }
    this.#buffer = buffer;
    this.#position = start;
    this.#end = end;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#buffer.readUInt16BE(this.#advance(2));
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  /** A 64-bit number as a JavaScript number: the nearest one if above 2^53. */
  u64(): number {
    return this.u32() * 0x1_0000_0000 + this.u32();
  }

  u64Big(): bigint {
    return this.#buffer.readBigUInt64BE(this.#advance(8));
  }

  i8(): number {
    return this.#buffer.readInt8(this.#advance(1));
  }

  i16(): number {
    return this.#buffer.readInt16BE(this.#advance(2));
  }

  i32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }

  i64Big(): bigint {
    return this.#buffer.readBigInt64BE(this.#advance(8));
  }

  f32(): number {
    return this.#buffer.readFloatBE(this.#advance(4));
  }

  f64(): number {
    return this.#buffer.readDoubleBE(this.#advance(8));
  }

  /** A short string, as a wire string. */
  shortstr(): string {
    return this.#latin1(this.u8());
  }

  /** A long string, as a wire string. */
  longstr(): string {
    return this.#latin1(this.u32());
  }

  /** A copy of the next bytes, so that a value kept does not keep the whole socket chunk. */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return Buffer.from(this.#buffer.subarray(start, start + length));
  }

  /** A reader of the next `length` bytes alone; this one goes on after them. */
  part(length: number): ByteReader {
    const start = this.#advance(length);
    return new ByteReader(this.#buffer, start, start + length);
  }

  /** Call when everything expected was read: bytes left over are a DecodeError, as in RabbitMQ. */
  finish(): void {
    if (this.remaining > 0) throw new DecodeError(`${this.remaining} bytes too many`);
  }

  #latin1(length: number): string {
    const start = this.#advance(length);
    return this.#buffer.toString('latin1', start, start + length);
  }

  /** Steps over some bytes and returns where they were. */
  #advance(bytes: number): number {
    const start = this.#position;
    if (bytes > this.#end - start) {
      throw new DecodeError(`${bytes} bytes expected, ${this.#end - start} left`);
    }
    this.#position = start + bytes;
    return start;
  }
}
