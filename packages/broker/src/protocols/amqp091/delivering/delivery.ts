import {
  FRAME_BODY,
  FRAME_END,
  FRAME_HEADER_SIZE,
  FRAME_METHOD,
  FRAME_OVERHEAD,
  type FrameWriter,
} from '@leveret/amqp';
import { copyBytes } from '../../../base/copy-bytes.js';
import type { AmqpMessage } from '../amqp-message.js';

const BASIC_CLASS = 60;
const BASIC_RETURN = 50;
const BASIC_DELIVER = 60;
const BASIC_GET_OK = 71;
/** Octets of a method frame up to its arguments: frame header, class id, method id. */
const ARGUMENTS_OFFSET = FRAME_HEADER_SIZE + 4;
/** Octets of a delivery tag and the redelivered flag. */
const TAG_BYTES = 9;

/**
 * Writes messages to one channel. The message's frames are copied as they came from its publisher,
 * with the channel's number put in; they are only cut anew where the frame-max is too small.
 */
export class ContentWriter {
  readonly #out: FrameWriter;
  readonly #channel: number;
  readonly #frameBytesMax: number;

  constructor(out: FrameWriter, channel: number, frameBytesMax: number) {
    this.#out = out;
    this.#channel = channel;
    this.#frameBytesMax = frameBytesMax;
  }

  /** The beginning of a basic.deliver frame, the same for every delivery to a consumer. */
  deliverPrefix(consumerTag: string): Buffer {
    const prefix = Buffer.alloc(ARGUMENTS_OFFSET + 1 + consumerTag.length);
    writeMethodHead(prefix, 0, this.#channel, 0, BASIC_DELIVER);
    prefix[ARGUMENTS_OFFSET] = consumerTag.length;
    prefix.write(consumerTag, ARGUMENTS_OFFSET + 1, 'latin1');
    return prefix;
  }

  /**
   * Writes a basic.deliver and the content (0-9-1 §1.8.3.9).
   *
   * ```text
   *   | prefix: frame header, 60, 60, consumer tag | delivery tag | redelivered | address | 0xCE |
   * ```
   */
  deliver(prefix: Buffer, deliveryTag: number, redelivered: boolean, message: AmqpMessage): void {
    const addressBytes = message.addressEnd - message.addressStart;
    const headBytes = prefix.length;
    const methodBytes = headBytes + TAG_BYTES + addressBytes + 1;
    const at = this.#reserve(methodBytes, message);
    const { buffer } = this.#out;
    copyBytes(prefix, 0, headBytes, buffer, at);
    writeUint32(buffer, at + 3, methodBytes - FRAME_OVERHEAD);
    const tagAt = at + headBytes;
    writeTag(buffer, tagAt, deliveryTag, redelivered);
    const { addressStart, addressEnd } = message;
    copyBytes(message.buffer, addressStart, addressEnd, buffer, tagAt + TAG_BYTES);
    const end = at + methodBytes;
    buffer[end - 1] = FRAME_END;
    this.#writeFrames(end, message);
  }

  /** Writes a basic.get-ok and the content (0-9-1 §1.8.3.11). */
  getOk(
    deliveryTag: number,
    redelivered: boolean,
    message: AmqpMessage,
    messageCount: number,
  ): void {
    const addressBytes = message.addressEnd - message.addressStart;
    const methodBytes = ARGUMENTS_OFFSET + TAG_BYTES + addressBytes + 4 + 1;
    const at = this.#reserve(methodBytes, message);
    const { buffer } = this.#out;
    writeMethodHead(buffer, at, this.#channel, methodBytes, BASIC_GET_OK);
    const tagAt = at + ARGUMENTS_OFFSET;
    writeTag(buffer, tagAt, deliveryTag, redelivered);
    const { addressStart, addressEnd } = message;
    copyBytes(message.buffer, addressStart, addressEnd, buffer, tagAt + TAG_BYTES);
    const end = at + methodBytes;
    writeUint32(buffer, end - 5, messageCount);
    buffer[end - 1] = FRAME_END;
    this.#writeFrames(end, message);
  }

  /** Writes a basic.return and the content (0-9-1 §1.8.3.8). */
  returned(replyCode: number, replyText: string, message: AmqpMessage): void {
    const addressBytes = message.addressEnd - message.addressStart;
    const addressOffset = ARGUMENTS_OFFSET + 2 + 1 + replyText.length;
    const methodBytes = addressOffset + addressBytes + 1;
    const at = this.#reserve(methodBytes, message);
    const { buffer } = this.#out;
    writeMethodHead(buffer, at, this.#channel, methodBytes, BASIC_RETURN);
    buffer.writeUInt16BE(replyCode, at + ARGUMENTS_OFFSET);
    buffer[at + ARGUMENTS_OFFSET + 2] = replyText.length;
    buffer.write(replyText, at + ARGUMENTS_OFFSET + 3, 'latin1');
    const { addressStart, addressEnd } = message;
    copyBytes(message.buffer, addressStart, addressEnd, buffer, at + addressOffset);
    const end = at + methodBytes;
    buffer[end - 1] = FRAME_END;
    this.#writeFrames(end, message);
  }

  /** Room for the method frame, and for the content frames if they can go out as they are. */
  #reserve(methodBytes: number, message: AmqpMessage): number {
    const frameBytes = message.framesEnd - message.framesStart;
    const whole = frameBytes <= this.#frameBytesMax || fits(message, this.#frameBytesMax);
    return this.#out.reserve(whole ? methodBytes + frameBytes : methodBytes);
  }

  /** Writes the content frames: at `at`, right behind the method frame, or cut anew. */
  #writeFrames(at: number, message: AmqpMessage): void {
    const { buffer, framesStart, framesEnd } = message;
    const out = this.#out.buffer;
    const end = at + framesEnd - framesStart;
    // Room was reserved for them, or else the method frame is all there is.
    if (end !== this.#out.length) {
      this.#writeCutAnew(message);
      return;
    }
    copyBytes(buffer, framesStart, framesEnd, out, at);
    const channelHigh = this.#channel >> 8;
    const channelLow = this.#channel & 0xff;
    while (at < end) {
      out[at + 1] = channelHigh;
      out[at + 2] = channelLow;
      at += FRAME_OVERHEAD + readUint32(out, at + 3);
    }
  }

  #writeCutAnew(message: AmqpMessage): void {
    const { buffer, framesStart, bodyFramesStart } = message;
    const headerAt = this.#out.reserve(bodyFramesStart - framesStart);
    buffer.copy(this.#out.buffer, headerAt, framesStart, bodyFramesStart);
    this.#out.buffer.writeUInt16BE(this.#channel, headerAt + 1);
    const body = message.body();
    const payloadMax = this.#frameBytesMax - FRAME_OVERHEAD;
    for (let start = 0; start < body.length; start += payloadMax) {
      const bytes = Math.min(payloadMax, body.length - start);
      const at = this.#out.reserve(FRAME_OVERHEAD + bytes);
      const out = this.#out.buffer;
      out[at] = FRAME_BODY;
      out.writeUInt16BE(this.#channel, at + 1);
      writeUint32(out, at + 3, bytes);
      body.copy(out, at + FRAME_HEADER_SIZE, start, start + bytes);
      out[at + FRAME_HEADER_SIZE + bytes] = FRAME_END;
    }
  }
}

/** Whether every frame of the message is within a frame-max. */
function fits(message: AmqpMessage, frameBytesMax: number): boolean {
  let at = message.framesStart;
  while (at < message.framesEnd) {
    const bytes = FRAME_OVERHEAD + readUint32(message.buffer, at + 3);
    if (bytes > frameBytesMax) return false;
    at += bytes;
  }
  return true;
}

function writeMethodHead(
  buffer: Buffer,
  at: number,
  channel: number,
  frameBytes: number,
  methodId: number,
): void {
  buffer[at] = FRAME_METHOD;
  buffer[at + 1] = channel >> 8;
  buffer[at + 2] = channel & 0xff;
  writeUint32(buffer, at + 3, frameBytes - FRAME_OVERHEAD);
  buffer[at + 7] = 0;
  buffer[at + 8] = BASIC_CLASS;
  buffer[at + 9] = 0;
  buffer[at + 10] = methodId;
}

function writeTag(buffer: Buffer, at: number, deliveryTag: number, redelivered: boolean): void {
  const high = deliveryTag > 0xffffffff ? Math.floor(deliveryTag / 0x100000000) : 0;
  writeUint32(buffer, at, high);
  writeUint32(buffer, at + 4, deliveryTag >>> 0);
  buffer[at + 8] = redelivered ? 1 : 0;
}

function writeUint32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

function readUint32(buffer: Buffer, at: number): number {
  return (
    buffer[at]! * 0x1000000 + ((buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!)
  );
}
