import { type ReplyCode, replyName, SHORTSTR_MAX_BYTES } from './constants.js';

/** Bytes that are not what they should be: cut short, left over, of no known type, over a limit. */
export class DecodeError extends Error {
  override readonly name: string = 'DecodeError';
}

/**
 * A name that is not UTF-8, in a method whose names must be. RabbitMQ's error text for it is this
 * message, where any other DecodeError of a method is `cannot decode` and the bytes.
 */
export class MalformedUtf8Error extends DecodeError {
  override readonly name: string = 'MalformedUtf8Error';

  constructor() {
    super('Malformed UTF-8 in shortstr');
  }
}

/** A value that cannot be put on the wire: out of range, too long, of no AMQP type. */
export class EncodeError extends Error {
  override readonly name: string = 'EncodeError';
}

/** A method frame with a class id and method id that no row of the table has. */
export class UnknownMethodError extends Error {
  override readonly name: string = 'UnknownMethodError';
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

const ELLIPSIS = '...';
const NO_METHOD: MethodId = { classId: 0, methodId: 0 };

/**
 * A refusal in the protocol's own terms: what channel.close or connection.close tells the peer
 * (spec 4.8). Made by `channelError` and `connectionError`.
 */
export class AmqpError extends Error {
  override readonly name: string = 'AmqpError';
  /** What it closes. */
  readonly scope: 'channel' | 'connection';
  readonly replyCode: ReplyCode;
  /** `NOT_FOUND - no queue 'q' in vhost '/'`: a wire string, maybe longer than 255 bytes. */
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

  /** What the channel.close or connection.close that reports it says; the text cut to 255 bytes. */
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
 * An error that closes the channel. `text` is a wire string without the code's name: the reply text
 * becomes `NOT_FOUND - ` and the text, or the name alone if the text is empty.
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

/**
 * Cuts a wire string to what a short string holds, ending it in `...` as RabbitMQ does, but not
 * within a UTF-8 sequence.
 */
function shortened(wire: string): string {
  if (wire.length <= SHORTSTR_MAX_BYTES) return wire;
  const room = SHORTSTR_MAX_BYTES - ELLIPSIS.length;
  let end = room;
  // 10xxxxxx continues a sequence; one has at most 4 bytes, so 3 steps back are enough.
  while (end > room - 3 && (wire.charCodeAt(end) & 0xc0) === 0x80) end--;
  return wire.slice(0, end) + ELLIPSIS;
}
