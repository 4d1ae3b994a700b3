import { ByteWriter } from './byte-writer.js';
import { FRAME_BODY, FRAME_END, FRAME_HEADER, FRAME_METHOD, FRAME_OVERHEAD } from './constants.js';
import { EncodeError } from './errors.js';
import { writeMethod } from './method-codec.js';
import { METHODS, type MethodName } from './methods.js';
import { type BasicProperties, encodeProperties } from './properties.js';
import type { MethodInput } from './types.js';

/** A whole method frame, header and end octet included. Throws EncodeError. */
export function encodeMethodFrame<N extends MethodName>(
  channel: number,
  name: N,
  args: MethodInput<N>,
): Buffer {
  return encodeFrame(FRAME_METHOD, channel, (writer) => writeMethod(writer, name, args));
}

/**
 * The frame between a method that carries content and the content's body (spec 4.2.6.1):
 *
 *     0          2        4                    12
 *     +----------+--------+--------------------+------------------------+
 *     | class id | weight |     body size      | flags, properties      |
 *     +----------+--------+--------------------+------------------------+
 *       60: basic    0           longlong
 */
export function encodeContentHeaderFrame(
  channel: number,
  bodySize: number,
  properties: Readonly<BasicProperties>,
): Buffer {
  return encodeFrame(FRAME_HEADER, channel, (writer) => {
    writer.u16(METHODS['basic.publish'].classId);
    writer.u16(0);
    writer.u64(bodySize);
    writer.bytes(encodeProperties(properties));
  });
}

/**
 * The body as frames of at most `frameMax` bytes each, 0 meaning no limit; none for an empty body.
 */
export function encodeBodyFrames(channel: number, body: Uint8Array, frameMax: number): Buffer[] {
  const payloadMax = frameMax === 0 ? body.length : frameMax - FRAME_OVERHEAD;
  if (payloadMax <= 0 && body.length > 0) throw new EncodeError(`no room in ${frameMax} bytes`);
  const frames: Buffer[] = [];
  for (let start = 0; start < body.length; start += payloadMax) {
    const piece = body.subarray(start, start + payloadMax);
    frames.push(encodeFrame(FRAME_BODY, channel, (writer) => writer.bytes(piece)));
  }
  return frames;
}

function encodeFrame(
  type: number,
  channel: number,
  writePayload: (writer: ByteWriter) => void,
): Buffer {
  const writer = new ByteWriter();
  writer.u8(type);
  writer.u16(channel);
  const size = writer.reserveLength();
  writePayload(writer);
  writer.fillLength(size);
  writer.u8(FRAME_END);
  return writer.finish();
}
