import { FRAME_END } from './constants.js';

/** Octets before a frame's payload: type, channel, payload size. */
const FRAME_HEADER_BYTES = 7;
/** Octets a frame has besides its payload: its header and its end octet. */
const FRAME_OVERHEAD_BYTES = 8;

/** What stops a reader: the stream cannot be framed any further. */
export type FrameFault =
  | { readonly kind: 'too-large'; readonly type: number; readonly payloadBytes: number }
  | {
      readonly kind: 'bad-end';
      readonly type: number;
      readonly payload: Buffer;
      readonly end: number;
    };

/** Takes the frames as a {@link FrameReader} finds them. */
export interface FrameSink {
  /**
   * One whole frame. Its payload is `buffer[start, end)`; the seven octets before `start` are its
   * header and `buffer[end]` its end octet, so that a sink can keep the frame as it came.
   */
  frame(type: number, channel: number, buffer: Buffer, start: number, end: number): void;
  /** The stream is broken; nothing more is read from it. */
  frameFault(fault: FrameFault): void;
}

/**
 * Cuts a stream of chunks into frames, in place: a frame that lies whole in a chunk is handed on
 * as a range of that chunk, and only one that straddles chunks is copied together.
 *
 * ```text
 *   0      1         3             7                  7+size    8+size
 *   +------+---------+-------------+------------------+---------+
 *   | type | channel | size        | payload          | end     |    AMQP 0-9-1 §4.2.3
 *   +------+---------+-------------+------------------+---------+
 *    octet   short     long          size octets        0xCE
 * ```
 */
export class FrameReader {
  readonly #sink: FrameSink;
  #payloadBytesMax: number;
  #stopped = false;
  #isHeld = false;
  #again = false;
  /** What has come since the reader was held. */
  #held: Buffer | undefined;
  /** The beginning of a frame whose end has not come yet, and how much of it is there. */
  #partial: Buffer | undefined;
  #partialBytes = 0;

  /** `payloadBytesMax`: the largest payload let in; see {@link payloadBytesMax}. */
  constructor(sink: FrameSink, payloadBytesMax: number) {
    this.#sink = sink;
    this.#payloadBytesMax = payloadBytesMax;
  }

  /**
   * The largest payload a frame may have. RabbitMQ lets a payload be as large as the negotiated
   * frame-max itself (the specification's limit is eight octets less), and so do we.
   */
  set payloadBytesMax(bytes: number) {
    this.#payloadBytesMax = bytes;
  }

  /**
   * Finds no more frames, not even in the chunk being read, until {@link resume}. With `again`, the
   * frame being handled is not done, and comes once more then, whoever else holds.
   */
  hold(again: boolean): void {
    this.#isHeld = true;
    if (again) this.#again = true;
  }

  /** Goes on where {@link hold} stopped it. */
  resume(): void {
    this.#isHeld = false;
    this.#again = false;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.push(held);
  }

  /** Drops what is buffered and ignores everything that comes from now on. */
  stop(): void {
    this.#stopped = true;
    this.#isHeld = false;
    this.#partial = undefined;
    this.#held = undefined;
  }

  /** Reads a chunk to its end. It may be used for something else as soon as this returns. */
  push(chunk: Buffer): void {
    if (this.#isHeld) {
      this.#held = Buffer.concat(this.#held === undefined ? [chunk] : [this.#held, chunk]);
      return;
    }
    let position = this.#partial === undefined ? 0 : this.#complete(chunk, 0);
    const length = chunk.length;
    while (!(this.#stopped || this.#isHeld) && length - position >= FRAME_HEADER_BYTES) {
      const payloadBytes = readUint32(chunk, position + 3);
      if (payloadBytes > this.#payloadBytesMax) {
        this.#tooLarge(chunk[position]!, payloadBytes);
        return;
      }
      const next = position + FRAME_OVERHEAD_BYTES + payloadBytes;
      if (next > length) break;
      this.#emit(chunk, position, next);
      if (!this.#again) position = next;
    }
    if (this.#stopped || position === length) return;
    if (this.#isHeld) this.#held = Buffer.from(chunk.subarray(position));
    else this.#keepPartial(chunk, position);
  }

  #emit(buffer: Buffer, position: number, next: number): void {
    const end = next - 1;
    const start = position + FRAME_HEADER_BYTES;
    const type = buffer[position]!;
    if (buffer[end] !== FRAME_END) {
      this.stop();
      const payload = buffer.subarray(start, end);
      this.#sink.frameFault({ kind: 'bad-end', type, payload, end: buffer[end]! });
      return;
    }
    const channel = (buffer[position + 1]! << 8) | buffer[position + 2]!;
    this.#sink.frame(type, channel, buffer, start, end);
  }

  #tooLarge(type: number, payloadBytes: number): void {
    this.stop();
    this.#sink.frameFault({ kind: 'too-large', type, payloadBytes });
  }

  /** Fills up the partial frame from the chunk; returns the position after what it took. */
  #complete(chunk: Buffer, position: number): number {
    let partial = this.#partial!;
    if (this.#partialBytes < FRAME_HEADER_BYTES) {
      const wanted = Math.min(FRAME_HEADER_BYTES - this.#partialBytes, chunk.length - position);
      chunk.copy(partial, this.#partialBytes, position, position + wanted);
      this.#partialBytes += wanted;
      position += wanted;
      if (this.#partialBytes < FRAME_HEADER_BYTES) return position;
    }
    const payloadBytes = readUint32(partial, 3);
    if (payloadBytes > this.#payloadBytesMax) {
      this.#tooLarge(partial[0]!, payloadBytes);
      return position;
    }
    const frameBytes = FRAME_OVERHEAD_BYTES + payloadBytes;
    const wanted = Math.min(frameBytes - this.#partialBytes, chunk.length - position);
    partial = this.#withRoom(partial, this.#partialBytes + wanted, frameBytes);
    chunk.copy(partial, this.#partialBytes, position, position + wanted);
    this.#partialBytes += wanted;
    position += wanted;
    if (this.#partialBytes < frameBytes) return position;
    this.#partial = undefined;
    this.#emit(partial, 0, frameBytes);
    if (!this.#again) return position;
    this.#held = Buffer.concat([partial, chunk.subarray(position)]);
    return chunk.length;
  }

  /** Grows the partial frame's buffer by doubling: a peer pays for room with octets, not claims. */
  #withRoom(partial: Buffer, needed: number, frameBytes: number): Buffer {
    if (partial.length >= needed) return partial;
    const larger = Buffer.allocUnsafeSlow(
      Math.min(frameBytes, Math.max(needed, 2 * partial.length)),
    );
    partial.copy(larger, 0, 0, this.#partialBytes);
    this.#partial = larger;
    return larger;
  }

  #keepPartial(chunk: Buffer, position: number): void {
    const bytes = chunk.length - position;
    this.#partial = Buffer.allocUnsafeSlow(Math.max(bytes, FRAME_HEADER_BYTES));
    chunk.copy(this.#partial, 0, position);
    this.#partialBytes = bytes;
  }
}

function readUint32(buffer: Buffer, at: number): number {
  return (
    buffer[at]! * 0x1000000 + ((buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!)
  );
}
