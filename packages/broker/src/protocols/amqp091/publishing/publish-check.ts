import {
  type BasicProperties,
  channelError,
  type FieldTable,
  fieldTypeName,
  REPLY_CODES,
} from '@leveret/amqp';
import { quote } from '../../../core/erlang-term.js';
import { EXPIRY_MS_MAX } from '../../../core/queue/arguments.js';
import { REPLY_TO } from '../../../core/reply-addresses.js';
import type { PublishAssembler } from './publish-assembler.js';

/** Who publishes, as far as a message's properties are concerned. */
export interface PublisherIdentity {
  readonly userName: string;
  /** Whether the user may publish in another's name. */
  readonly mayImpersonate: boolean;
  /** The address of the channel's direct reply-to consumer, if it has one. */
  readonly replyAddress: string | undefined;
}

/**
 * Checks the properties of a publish that has come whole, in RabbitMQ's order and words, and puts
 * in what the broker answers for: the direct reply address, the keys of CC and BCC. Throws.
 */
export function checkPublish(publish: PublishAssembler, publisher: PublisherIdentity): void {
  const { header, expiration, userId, replyTo, message } = publish;
  if (replyTo === REPLY_TO) putReplyAddress(publish, publisher.replyAddress);
  if (userId !== undefined && userId !== publisher.userName && !publisher.mayImpersonate) {
    refuse(
      `user_id property set to '${userId}' but authenticated user was '${publisher.userName}'`,
    );
  }
  if (expiration !== undefined) message.expirationMilliseconds = readExpiration(expiration);
  if (header.hasSenderSelected) {
    const properties = message.properties();
    message.extraRoutingKeys = senderSelected(properties.headers ?? new Map());
    dropBcc(publish, properties);
  }
  const { deliveryMode } = header;
  if (deliveryMode !== -1 && deliveryMode !== 1 && deliveryMode !== 2) {
    refuse(`invalid message: {delivery_mode_unknown,${deliveryMode}}`);
  }
}

function putReplyAddress(publish: PublishAssembler, replyAddress: string | undefined): void {
  if (replyAddress === undefined) refuse('fast reply consumer does not exist');
  const { message } = publish;
  message.replaceProperties({ ...message.properties(), replyTo: replyAddress });
}

/** The keys named in CC and BCC, besides the routing key (sender-selected distribution). Throws. */
export function senderSelected(headers: FieldTable): string[] {
  const keys: string[] = [];
  for (const name of ['CC', 'BCC']) {
    const value = headers.get(name);
    if (value === undefined) continue;
    if (value.type !== 'A') {
      const type = fieldTypeName(value);
      refuse(`invalid message: {unacceptable_type_in_header,"${name}",${type}}`);
    }
    for (const each of value.value) if (each.type === 'S') keys.push(each.value);
  }
  return keys;
}

/** BCC is for the broker's eyes only. */
function dropBcc(publish: PublishAssembler, properties: BasicProperties): void {
  if (!properties.headers?.has('BCC')) return;
  const headers = new Map(properties.headers);
  headers.delete('BCC');
  publish.message.replaceProperties({ ...properties, headers });
}

/** Milliseconds in decimal, as text (RabbitMQ `parse_expiration`). Throws. */
export function readExpiration(expiration: string): number {
  const digits = /^[+-]?\d+/.exec(expiration)?.[0];
  let problem: string | undefined;
  if (digits === undefined) problem = 'no_integer';
  else if (digits.length < expiration.length) {
    problem = `{leftover_string,${quote(expiration.slice(digits.length))}}`;
  } else if (Number(digits) < 0) problem = `{value_negative,${BigInt(digits)}}`;
  else if (Number(digits) > EXPIRY_MS_MAX) problem = `{value_too_large,${BigInt(digits)}}`;
  if (problem !== undefined) refuse(`invalid expiration '${expiration}': ${problem}`);
  return Number(digits);
}

function refuse(text: string): never {
  throw channelError(REPLY_CODES.PRECONDITION_FAILED, text);
}
