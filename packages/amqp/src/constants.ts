/**
 * The fixed numbers of AMQP 0-9-1.
 *
 * Every frame on the wire has this shape (spec 4.2.3):
 *
 *     0      1         3             7                  7 + size
 *     +------+---------+-------------+ +-------------+ +-----------+
 *     | type | channel |    size     | |   payload   | | frame-end |
 *     +------+---------+-------------+ +-------------+ +-----------+
 *      octet    short       long         size octets       0xCE
 */

/**
 * What a client sends first: `AMQP`, then 0-9-1 (spec 4.2.2). A server answers another one with
 * this and closes.
 */
export const PROTOCOL_HEADER: Buffer = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);

/** The TCP port registered for AMQP; 5671 is the one for TLS. */
export const DEFAULT_PORT = 5672;
/** The TCP port registered for AMQP over TLS. */
export const DEFAULT_TLS_PORT = 5671;

/** Frame type: a class id, a method id and the method's fields. */
export const FRAME_METHOD = 1;
/** Frame type: a content's body size and properties. */
export const FRAME_HEADER = 2;
/** Frame type: a piece of a content's body. */
export const FRAME_BODY = 3;
/** Frame type: no payload, channel 0; only says that the peer is alive. */
export const FRAME_HEARTBEAT = 8;

/** The octet after every payload. Anything else there is connection error 501. */
export const FRAME_END = 0xce;
/** Octets before the payload: type, channel, size. */
export const FRAME_HEADER_SIZE = 7;
/** Octets of a frame that are not payload: seven before it, one after it. */
export const FRAME_OVERHEAD = 8;
/** The smallest frame-max a peer may ask for, in bytes; until tuned no frame may be larger. */
export const FRAME_MIN_SIZE = 4096;

/** Most bytes a short string can hold: its length is one octet. */
export const SHORTSTR_MAX_BYTES = 255;

/**
 * Reply codes by name (spec 4.8.2). 311, 313 and 403 to 406 close the channel; 312 is what the
 * basic.return of an unroutable message carries; the others close the connection.
 */
export const REPLY_CODES = {
  REPLY_SUCCESS: 200,
  CONTENT_TOO_LARGE: 311,
  NO_ROUTE: 312,
  NO_CONSUMERS: 313,
  CONNECTION_FORCED: 320,
  INVALID_PATH: 402,
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  RESOURCE_LOCKED: 405,
  PRECONDITION_FAILED: 406,
  FRAME_ERROR: 501,
  SYNTAX_ERROR: 502,
  COMMAND_INVALID: 503,
  CHANNEL_ERROR: 504,
  UNEXPECTED_FRAME: 505,
  RESOURCE_ERROR: 506,
  NOT_ALLOWED: 530,
  NOT_IMPLEMENTED: 540,
  INTERNAL_ERROR: 541,
} as const;

/** A reply code's name, as error texts begin with it. */
export type ReplyName = keyof typeof REPLY_CODES;
/** One of the reply codes of the protocol. */
export type ReplyCode = (typeof REPLY_CODES)[ReplyName];

const NAMES_BY_CODE: ReadonlyMap<number, string> = new Map(
  Object.entries(REPLY_CODES).map(([name, code]) => [code, name]),
);

/** The name of a reply code: `NOT_FOUND` for 404. A number that is none of them is `UNKNOWN`. */
export function replyName(code: number): string {
  return NAMES_BY_CODE.get(code) ?? 'UNKNOWN';
}
