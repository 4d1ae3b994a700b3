import { type ReplyCode, replyName, SHORTSTR_MAX_BYTES } from './constants.js';

/** Bytes that are not what AMQP says they should be: truncated, trailing, an unknown type, over a limit. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

/** A value that cannot be put on the wire: out of range, too long, of no AMQP type. The caller's mistake. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}

/** A method frame with a class id and method id that no row of the table has. */
export class UnknownMethodError extends Error {
  override readonly name = 'UnknownMethodError';
  readonly classId: number;
  readonly methodId: number;

  constructor(classId: number, methodId: number) {
    super(`unknown method: class id ${classId}, method id ${methodId}`);
    this.classId = classId;
    this.methodId = methodId;
  }
}

/** The class and method id of the method that caused an error; both 0 when none did. */
export interface MethodId {
  readonly classId: number;
  readonly methodId: number;
}

const NO_METHOD: MethodId = { classId: 0, methodId: 0 };

/**
 * A refusal in the protocol's own terms: what channel.close or connection.close tells the peer
 * (spec 1.5, 4.9). Made by `channelError` and `connectionError`.
 */
export class AmqpError extends Error {
  override readonly name = 'AmqpError';
  /** What it closes. */
  readonly scope: 'channel' | 'connection';
  readonly replyCode: ReplyCode;
  /** The whole text, a wire string: `NOT_FOUND - no queue 'q' in vhost '/'`. May be longer than the wire allows. */
  readonly replyText: string;
  readonly classId: number;
  readonly methodId: number;

  constructor(
    scope: 'channel' | 'connection',
    replyCode: ReplyCode,
    replyText: string,
    cause: MethodId = NO_METHOD,
  ) {
    super(replyText);
    this.scope = scope;
    this.replyCode = replyCode;
    this.replyText = replyText;
    this.classId = cause.classId;
    this.methodId = cause.methodId;
  }

  /** The arguments of the channel.close or connection.close that reports it, the text cut to 255 bytes. */
  closeArguments(): { replyCode: number; replyText: string; classId: number; methodId: number } {
    return {
      replyCode: this.replyCode,
      replyText: shortened(this.replyText),
      classId: this.classId,
      methodId: this.methodId,
    };
  }
}

/**
 * An error that closes the channel. `text` is a wire string without the code's name: the reply text becomes
 * `NOT_FOUND - ` and the text, or the name alone if the text is empty.
 */
export function channelError(code: ReplyCode, text: string, cause?: MethodId): AmqpError {
  return new AmqpError('channel', code, withName(code, text), cause);
}

/** An error that closes the connection; otherwise like `channelError`. */
export function connectionError(code: ReplyCode, text: string, cause?: MethodId): AmqpError {
  return new AmqpError('connection', code, withName(code, text), cause);
}

function withName(code: ReplyCode, text: string): string {
  return text === '' ? replyName(code) : `${replyName(code)} - ${text}`;
}

/** Cuts a wire string to what a short string holds, but not in the middle of a UTF-8 sequence. */
function shortened(wire: string): string {
  if (wire.length <= SHORTSTR_MAX_BYTES) return wire;
  let end = SHORTSTR_MAX_BYTES;
  // 10xxxxxx continues a sequence; one is at most 4 bytes long, so bytes that are no UTF-8 lose at most 3.
  while (end > SHORTSTR_MAX_BYTES - 3 && (wire.charCodeAt(end) & 0xc0) === 0x80) end--;
  return wire.slice(0, end);
}
