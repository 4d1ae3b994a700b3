import {
  type AmqpError,
  channelError,
  connectionError,
  type MethodId,
  REPLY_CODES,
} from '@leveret/amqp';
import type { Refusal, RefusalReason } from '../../core/refusal.js';

/** Reply code and scope of each reason the core refuses for (0-9-1 §1.4; RabbitMQ). */
const ANSWERS: Readonly<
  Record<RefusalReason, (text: string, cause: MethodId | undefined) => AmqpError>
> = {
  'not-found': (text, cause) => channelError(REPLY_CODES.NOT_FOUND, text, cause),
  'access-refused': (text, cause) => channelError(REPLY_CODES.ACCESS_REFUSED, text, cause),
  'resource-locked': (text, cause) => channelError(REPLY_CODES.RESOURCE_LOCKED, text, cause),
  'precondition-failed': (text, cause) =>
    channelError(REPLY_CODES.PRECONDITION_FAILED, text, cause),
  'not-allowed': (text, cause) => connectionError(REPLY_CODES.NOT_ALLOWED, text, cause),
  'not-implemented': (text, cause) => connectionError(REPLY_CODES.NOT_IMPLEMENTED, text, cause),
};

/** A refusal of the core's in the protocol's terms. */
export function refusalToError(refusal: Refusal, cause: MethodId | undefined): AmqpError {
  return ANSWERS[refusal.reason](refusal.message, cause);
}
