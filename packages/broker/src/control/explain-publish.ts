import { AmqpError, type BasicProperties, fromWire, toFieldTable, toWire } from '@leveret/amqp';
import { explain, nearestBindings } from '../core/explain/explain.js';
import type { Explanation, UnroutableMessage } from '../core/explain/explanation.js';
import type { Authorizer, MessageParts } from '../core/ports.js';
import { Refusal } from '../core/refusal.js';
import type { VirtualHost } from '../core/virtual-host.js';
import type { AmqpMessage } from '../protocols/amqp091/amqp-message.js';
import { readExpiration, senderSelected } from '../protocols/amqp091/publishing/publish-check.js';
import { refusalToError } from '../protocols/amqp091/replies.js';
import { convert } from './text.js';

/** Of the bindings that an unroutable message did not match, so many are told. */
const NEAR_MISSES = 5;

/** Makes a message that is only looked at. */
export type NewAmqpMessage = (parts: MessageParts) => AmqpMessage;

/** A message that is not published: what would become of it is asked. */
export interface ExplainRequest {
  /** Default: `/`. */
  readonly vhost?: string;
  /** Empty for the default exchange. */
  readonly exchange: string;
  /** Default: empty. */
  readonly routingKey?: string;
  /** Plain values, as in `{ format: 'pdf', CC: ['other.key'] }`. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** The property `message_id`. */
  readonly messageId?: string;
  /** The property `correlation_id`. */
  readonly correlationId?: string;
  /** The property `expiration`: milliseconds in decimal digits. */
  readonly expiration?: string;
  /** 0 to 255. Default: 0. */
  readonly priority?: number;
  /** Whether it is to survive the broker. Default: true. */
  readonly persistent?: boolean;
  /** How large its body is, in octets, for queues that limit that. Default: 0. */
  readonly bodyBytes?: number;
  /** Name of the user who would publish it. Default: one who may do everything. */
  readonly user?: string;
}

/** Says what would become of a message, as a publisher would have it. */
export function explainPublish(
  vhost: VirtualHost,
  request: ExplainRequest,
  newMessage: NewAmqpMessage,
  authorizer: Authorizer,
): Explanation {
  const exchange = toWire(request.exchange);
  const routingKey = toWire(request.routingKey ?? '');
  try {
    const message = messageOf(request, newMessage);
    if (request.user !== undefined) {
      checkPermitted(toWire(request.user), vhost, message, authorizer);
    }
    return convert(explain(vhost, vhost.publishable(exchange), message), fromWire);
  } catch (error) {
    const refusal = refusalOf(error);
    const nothing = { exchanges: [], queues: [] };
    const asked = { exchange, routingKeys: [routingKey] };
    return convert({ outcome: 'refused', refusal, ...asked, ...nothing }, fromWire);
  }
}

/** The messages of late that reached no queue, and the bindings that came nearest. */
export function unroutableMessages(
  vhost: VirtualHost,
  newMessage: NewAmqpMessage,
): readonly UnroutableMessage[] {
  return vhost.unroutables.list().map(({ headers, extraRoutingKeys, ...rest }) => {
    const { exchange: name, routingKey } = rest;
    const exchange = vhost.exchanges.get(name);
    const properties: BasicProperties = headers === undefined ? {} : { headers };
    const message = newMessage({ exchange: name, routingKey, properties, body: NO_BODY });
    message.extraRoutingKeys = extraRoutingKeys;
    const near = exchange === undefined ? [] : nearestBindings(vhost, exchange, message);
    const misses = near.filter(({ matches }) => matches === false).slice(0, NEAR_MISSES);
    return convert({ ...rest, nearMisses: misses }, fromWire);
  });
}

const NO_BODY = Buffer.alloc(0);

function messageOf(request: ExplainRequest, newMessage: NewAmqpMessage): AmqpMessage {
  const { headers = {}, messageId, correlationId, expiration, priority } = request;
  const table = toFieldTable(headers);
  const properties: BasicProperties = {
    headers: table,
    deliveryMode: request.persistent === false ? 1 : 2,
    ...(priority === undefined ? {} : { priority }),
    ...(messageId === undefined ? {} : { messageId: toWire(messageId) }),
    ...(correlationId === undefined ? {} : { correlationId: toWire(correlationId) }),
    ...(expiration === undefined ? {} : { expiration: toWire(expiration) }),
  };
  const exchange = toWire(request.exchange);
  const routingKey = toWire(request.routingKey ?? '');
  const message = newMessage({ exchange, routingKey, properties, body: NO_BODY });
  message.bodyBytes = request.bodyBytes ?? 0;
  if (expiration !== undefined) message.expirationMilliseconds = readExpiration(expiration);
  const extra = senderSelected(table);
  if (extra.length > 0) message.extraRoutingKeys = extra;
  return message;
}

/** In the order in which a publisher's connection looks. Throws a Refusal. */
function checkPermitted(
  user: string,
  vhost: VirtualHost,
  message: AmqpMessage,
  authorizer: Authorizer,
): void {
  const access = authorizer.access(user, vhost.name);
  if (access === undefined) {
    const text = `access to vhost '${vhost.name}' refused for user '${user}'`;
    throw new Refusal('access-refused', text);
  }
  const { exchange, routingKey, extraRoutingKeys = [] } = message;
  access.check('write', 'exchange', exchange);
  if (vhost.publishable(exchange).spec.type !== 'topic') return;
  for (const key of [routingKey, ...extraRoutingKeys]) access.checkTopic('write', exchange, key);
}

/** What a publisher would be told. Throws what nobody would be. */
function refusalOf(error: unknown): string {
  if (error instanceof AmqpError) return error.replyText;
  if (error instanceof Refusal) return refusalToError(error, undefined).replyText;
  throw error;
}
