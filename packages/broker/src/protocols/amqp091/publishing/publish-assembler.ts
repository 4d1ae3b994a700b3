import {
  type AmqpError,
  ContentHeader,
  connectionError,
  DecodeError,
  FRAME_HEADER_SIZE,
  type MethodId,
  REPLY_CODES,
} from '@leveret/amqp';
import type { SlabAllocator } from '../../../store/slab.js';
import { AddressReader } from '../address-reader.js';
import { AmqpMessage } from '../amqp-message.js';

/** What a channel may receive next. */
export type Awaited = 'method' | 'header' | 'body';

const BASIC_CLASS = 60;

/** The method that a publish's errors are laid to. */
export const BASIC_PUBLISH: MethodId = { classId: BASIC_CLASS, methodId: 40 };

/** basic.publish's flags, in its last octet. */
const MANDATORY = 1;
const IMMEDIATE = 2;
/** Octets of basic.publish before its exchange: class, method, ticket. */
const ADDRESS_OFFSET = 6;
/** Room that is made at once for a message whose frames came in several pieces. */
const ASSEMBLY_BYTES = 4_096;
const EMPTY = Buffer.alloc(0);

/**
 * Puts a publish together from its method, header and body frames (0-9-1 §4.2.6). Frames that lie
 * one behind the other in one chunk are left there and only noted; others are copied together.
 */
export class PublishAssembler {
  /** The message being put together; complete when `awaited` is `method` again. */
  readonly message: AmqpMessage;
  /** The header's facts: of its offsets only those into the frame just read are of any use. */
  readonly header: ContentHeader = new ContentHeader();
  awaited: Awaited = 'method';
  mandatory = false;
  immediate = false;
  /** The properties `expiration` and `user-id`, where given. */
  expiration: string | undefined = undefined;
  userId: string | undefined = undefined;
  replyTo: string | undefined = undefined;
  readonly #slabs: SlabAllocator;
  #bodyBytesLeft = 0;
  /** Copied-together frames, if they had to be; `message.buffer` is this then. */
  #assembly: Buffer | undefined = undefined;
  readonly #address = new AddressReader();

  constructor(slabs: SlabAllocator) {
    this.#slabs = slabs;
    this.message = new AmqpMessage(slabs);
  }

  /** Takes a basic.publish with the payload `buffer[start, end)`. Throws DecodeError. */
  method(buffer: Buffer, start: number, end: number): void {
    const addressStart = start + ADDRESS_OFFSET;
    if (addressStart >= end) throw new DecodeError('basic.publish is too short');
    const routingKeyStart = addressStart + 1 + buffer[addressStart]!;
    if (routingKeyStart >= end) throw new DecodeError('basic.publish ends in its exchange');
    const addressEnd = routingKeyStart + 1 + buffer[routingKeyStart]!;
    if (addressEnd + 1 !== end) throw new DecodeError('basic.publish does not end with its flags');
    const flags = buffer[addressEnd]!;
    this.mandatory = (flags & MANDATORY) !== 0;
    this.immediate = (flags & IMMEDIATE) !== 0;
    const { message } = this;
    message.renew();
    message.buffer = buffer;
    message.addressStart = addressStart;
    message.addressEnd = addressEnd;
    message.framesStart = end + 1;
    message.framesEnd = end + 1;
    this.#assemble(undefined);
    const address = this.#address;
    address.read(buffer, addressStart, addressEnd);
    message.exchange = address.exchange;
    message.routingKey = address.routingKey;
    this.awaited = 'header';
  }

  /**
   * Takes a content header with the payload `buffer[start, end)`; `awaited` tells whether bodies
   * follow. Throws DecodeError.
   */
  contentHeader(buffer: Buffer, start: number, end: number): void {
    const { header, message } = this;
    header.read(buffer, start, end);
    if (header.weight !== 0) throw notAContentHeader();
    if (header.classId !== BASIC_CLASS) {
      const text = `expected content header for class ${BASIC_CLASS}, got one for class `;
      throw connectionError(
        REPLY_CODES.UNEXPECTED_FRAME,
        `${text}${header.classId} instead`,
        BASIC_PUBLISH,
      );
    }
    this.expiration = shortString(buffer, header.expirationStart);
    this.userId = shortString(buffer, header.userIdStart);
    this.replyTo = shortString(buffer, header.replyToStart);
    message.persistent = header.deliveryMode === 2;
    message.priority = Math.max(header.priority, 0);
    message.expirationMilliseconds = -1;
    message.bodyBytes = header.bodyBytes;
    this.#bodyBytesLeft = header.bodyBytes;
    this.#addFrame(buffer, start, end);
    this.awaited = header.bodyBytes === 0 ? 'method' : 'body';
  }

  /** Takes a content body with the payload `buffer[start, end)`. */
  contentBody(buffer: Buffer, start: number, end: number): void {
    // Kept, empty frames would let a message grow without ever becoming whole.
    if (start === end) return;
    this.#bodyBytesLeft -= end - start;
    if (this.#bodyBytesLeft < 0) {
      throw connectionError(
        REPLY_CODES.FRAME_ERROR,
        'content body is longer than its header announced',
        BASIC_PUBLISH,
      );
    }
    this.#addFrame(buffer, start, end);
    if (this.#bodyBytesLeft === 0) this.awaited = 'method';
  }

  /** Copies what has come of a message: the octets it came in are about to be used again. */
  own(): void {
    if (this.awaited !== 'method' && this.#assembly === undefined) this.#roomFor(0);
  }

  /** Gives up what has come of a message. */
  abandon(): void {
    this.awaited = 'method';
    this.published();
  }

  /** Lets go of the message: an idle channel must not hold what it published last. */
  published(): void {
    this.#assemble(undefined);
    this.message.renew();
    this.message.buffer = EMPTY;
  }

  #addFrame(buffer: Buffer, start: number, end: number): void {
    const { message } = this;
    const frameStart = start - FRAME_HEADER_SIZE;
    if (message.buffer === buffer && message.framesEnd === frameStart) {
      message.framesEnd = end + 1;
      return;
    }
    const bytes = end + 1 - frameStart;
    const room = this.#roomFor(bytes);
    buffer.copy(room, message.framesEnd, frameStart, end + 1);
    message.framesEnd += bytes;
  }

  /** Makes the message's buffer one of its own, with room for `bytes` more. */
  #roomFor(bytes: number): Buffer {
    const { message } = this;
    const held = message.framesEnd - message.addressStart;
    const assembly = this.#assembly;
    if (assembly !== undefined && held + bytes <= assembly.length) return assembly;
    // Grown by doubling: a peer pays for memory with octets sent, not with octets announced.
    const announced = held + bytes + this.#bodyBytesLeft;
    const wanted = Math.min(announced, Math.max(2 * held, ASSEMBLY_BYTES));
    const larger = Buffer.allocUnsafeSlow(Math.max(held + bytes, wanted));
    message.buffer.copy(larger, 0, message.addressStart, message.framesEnd);
    message.addressEnd -= message.addressStart;
    message.framesStart -= message.addressStart;
    message.framesEnd = held;
    message.addressStart = 0;
    message.buffer = larger;
    this.#assemble(larger);
    return larger;
  }

  #assemble(next: Buffer | undefined): void {
    const before = this.#assembly;
    if (before === next) return;
    this.#assembly = next;
    this.#slabs.count((next?.length ?? 0) - (before?.length ?? 0));
  }
}

/** What RabbitMQ says of a frame that is not the content header it waits for. */
export function notAContentHeader(): AmqpError {
  const text = `expected content header for class ${BASIC_CLASS}, got non content header frame instead`;
  return connectionError(REPLY_CODES.UNEXPECTED_FRAME, text, BASIC_PUBLISH);
}

function shortString(buffer: Buffer, start: number): string | undefined {
  return start < 0 ? undefined : buffer.toString('latin1', start + 1, start + 1 + buffer[start]!);
}
