import { createHash } from 'node:crypto';
import type { BasicProperties } from '@leveret/amqp';
import { formatFieldValue } from '../../erlang-term.js';
import type { Message } from '../../message.js';

/** The properties that may be a key: those that are text. */
const PROPERTIES = {
  'app-id': 'appId',
  'content-encoding': 'contentEncoding',
  'content-type': 'contentType',
  'correlation-id': 'correlationId',
  'message-id': 'messageId',
  'reply-to': 'replyTo',
  type: 'type',
  'user-id': 'userId',
} as const satisfies Readonly<Record<string, keyof BasicProperties>>;

const HEADER = 'header:';
const PROPERTY = 'property:';

/** A longer key is held as its digest: a group costs little whatever a publisher calls it. */
const KEY_LENGTH_MAX = 64;

/** A message's key: a wire string, or its digest; empty if the message belongs to no group. */
export type GroupKey = (message: Message) => string;

/**
 * What the argument `x-group-by` names. Undefined if it names nothing, or is not there:
 *
 * | `x-group-by` | the key of a message is |
 * |--|--|
 * | `header:NAME` | its header of that name; as text, so that 7 and `7` are one key |
 * | `NAME` | the same, unless it is one of the others here |
 * | `property:NAME` | its property of that name, as in `property:correlation-id` |
 * | `routing-key` | the routing key it was published with |
 */
export function readGroupKey(groupBy: string | undefined): GroupKey | undefined {
  if (groupBy === undefined) return undefined;
  if (groupBy === 'routing-key') return (message) => shortened(message.routingKey);
  if (groupBy.startsWith(PROPERTY)) return propertyKey(groupBy.slice(PROPERTY.length));
  const name = groupBy.startsWith(HEADER) ? groupBy.slice(HEADER.length) : groupBy;
  return name === '' ? undefined : headerKey(name);
}

function headerKey(name: string): GroupKey {
  return (message) => {
    const value = message.headers().get(name);
    return value === undefined || value.type === 'V' ? '' : shortened(formatFieldValue(value));
  };
}

function propertyKey(name: string): GroupKey | undefined {
  if (!isProperty(name)) return undefined;
  const property = PROPERTIES[name];
  return (message) => shortened(message.properties()[property] ?? '');
}

function isProperty(name: string): name is keyof typeof PROPERTIES {
  return Object.hasOwn(PROPERTIES, name);
}

function shortened(key: string): string {
  if (key.length <= KEY_LENGTH_MAX) return key;
  return createHash('sha256').update(key, 'latin1').digest('base64');
}
