/** What stands at the start and end of everything on an AMQP connection. */

/** AMQP 0-9-1's protocol header: the eight bytes a client sends first. */
export const protocolHeader: Buffer = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1');

export const frameType = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** The octet after every payload. */
export const frameEnd = 0xce;

/** Bytes of a frame that are not its payload: type, channel and size before it, one octet after. */
export const frameOverhead = 8;

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/**
 * A frame, with any type, size and end:
 *
 *     0      1         3      7            7 + size
 *     | type | channel | size | payload ... | 0xce |
 */
export function encodeFrame(
  type: number,
  channel: number,
  payload: Uint8Array = Buffer.alloc(0),
  wrong: { readonly end?: number; readonly size?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(frameOverhead + payload.length);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt16BE(channel, 1);
  bytes.writeUInt32BE(wrong.size ?? payload.length, 3);
  bytes.set(payload, 7);
  bytes.writeUInt8(wrong.end ?? frameEnd, 7 + payload.length);
  return bytes;
}
