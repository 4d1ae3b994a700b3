import {
  type AmqpError,
  connectionError,
  FRAME_HEARTBEAT,
  FRAME_OVERHEAD,
  type FrameFault,
  REPLY_CODES,
} from '@leveret/amqp';

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

/** A type that is neither method, header nor body: a heartbeat out of place, or nothing at all. */
export function unknownFrame(type: number, buffer: Buffer, start: number, end: number): AmqpError {
  if (type === FRAME_HEARTBEAT) return unexpectedFrame(type, buffer, start, end);
  const text = `type ${type}, ${snippet(buffer.subarray(start, end))}: unknown_frame`;
  return connectionError(REPLY_CODES.FRAME_ERROR, text);
}

/** Octets as RabbitMQ prints them: `<<1,2,3>>`. */
export function formatOctets(bytes: Buffer): string {
  return `<<${[...bytes].join(',')}>>`;
}

function snippet(payload: Buffer): string {
  if (payload.length <= SNIPPET_BYTES) return `all octets = ${formatOctets(payload)}`;
  return `first ${SNIPPET_BYTES} octets = ${formatOctets(payload.subarray(0, SNIPPET_BYTES))}`;
}
