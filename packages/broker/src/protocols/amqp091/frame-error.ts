import {
  type AmqpError,
  connectionError,
  FRAME_HEADER,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  FRAME_OVERHEAD,
  type FrameFault,
  REPLY_CODES,
} from '@leveret/amqp';
import { formatBinary } from '../../core/erlang-term.js';

/** How much of a frame an error text shows, in octets. */
const SNIPPET_BYTES = 16;

/** A stream that cannot be cut into frames any further, in RabbitMQ's words. */
export function brokenFrame(fault: FrameFault, frameBytesMax: number): AmqpError {
  const problem =
    fault.kind === 'too-large'
      ? `all octets = <<>>: {frame_too_large,${fault.payloadBytes},${frameBytesMax - FRAME_OVERHEAD}}`
      : `${snippet(fault.payload)}: {invalid_frame_end_marker,${fault.end}}`;
  return connectionError(REPLY_CODES.FRAME_ERROR, `type ${fault.type}, ${problem}`);
}

/** A frame that is all right in itself, but not where it came. */
export function unexpectedFrame(
  type: number,
  buffer: Buffer,
  start: number,
  end: number,
): AmqpError {
  const text = `type ${type}, ${snippet(buffer.subarray(start, end))}`;
  return connectionError(REPLY_CODES.UNEXPECTED_FRAME, text);
}

/** What is no frame at all: an unknown type, or a payload too short for its type. */
export function unknownFrame(type: number, buffer: Buffer, start: number, end: number): AmqpError {
  if (type === FRAME_HEARTBEAT && start === end) return unexpectedFrame(type, buffer, start, end);
  const text = `type ${type}, ${snippet(buffer.subarray(start, end))}: unknown_frame`;
  return connectionError(REPLY_CODES.FRAME_ERROR, text);
}

/** The shortest payloads: class and method id; class id, weight and body size. */
const METHOD_BYTES_MIN = 4;
const HEADER_BYTES_MIN = 12;

/** Refuses a payload that is too short for its type. Throws. */
export function checkLength(type: number, buffer: Buffer, start: number, end: number): void {
  const bytes = end - start;
  const isShort =
    (type === FRAME_METHOD && bytes < METHOD_BYTES_MIN) ||
    (type === FRAME_HEADER && bytes < HEADER_BYTES_MIN);
  if (isShort) throw unknownFrame(type, buffer, start, end);
}

/** Octets as RabbitMQ prints them: `<<1,2,3>>`. */
export function formatOctets(bytes: Buffer): string {
  return `<<${[...bytes].join(',')}>>`;
}

function snippet(payload: Buffer): string {
  const shown = formatBinary(payload.toString('latin1', 0, SNIPPET_BYTES));
  if (payload.length <= SNIPPET_BYTES) return `all octets = ${shown}`;
  return `first ${SNIPPET_BYTES} octets = ${shown}`;
}
