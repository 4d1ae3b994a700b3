import { createHash } from 'node:crypto';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import { readDeaths } from '../dead-letter/deaths.js';
import { formatFieldTerm } from '../erlang-term.js';
import type { Message } from '../message.js';
import type { DeduplicationSettings } from './settings.js';

/** Longer keys are remembered by their SHA-256, in octets. */
const KEY_BYTES_MAX = 256;

/** What a message is told by from its duplicates. */
export interface MessageKey {
  /** A letter for the type, then the value, or a hash of all that: a wire string. */
  readonly key: string;
  /** The header `x-cache-ttl`: goes before what the window's settings say. */
  readonly ttlMilliseconds: number | undefined;
  /** What says whether the message has been here before, and died. */
  readonly headers: FieldTable;
}

/** A message's key; undefined if it has none: it is nobody's duplicate. */
export function messageKey(
  message: Message,
  settings: DeduplicationSettings,
): MessageKey | undefined {
  const { headers = NO_HEADERS, messageId } = message.properties();
  const value = headers.get(settings.header);
  let key: string | undefined;
  if (value !== undefined) key = bounded(typed(value));
  else if (settings.takesMessageId && messageId !== undefined) key = `m${messageId}`;
  if (key === undefined) return undefined;
  return { key, ttlMilliseconds: ttlOf(headers.get('x-cache-ttl')), headers };
}

const NO_HEADERS: FieldTable = new Map();

/**
 * Whether a message has died, in this queue or in any, and comes back: it is no duplicate, but may
 * be the very message that its key is remembered for. What died of being a duplicate is one still.
 */
export function hasDied({ headers }: MessageKey, queue?: string): boolean {
  if (!headers.has('x-death')) return false;
  const deaths = readDeaths(headers) ?? [];
  return deaths.some(
    (death) => death.reason !== 'duplicate' && (queue === undefined || death.queue === queue),
  );
}

/** Integers of all widths are the same, and strings and octets, as in RabbitMQ's plugin. */
function typed(value: FieldValue): string {
  switch (value.type) {
    case 'S':
      return `s${value.value}`;
    case 'x':
      return `s${value.value.toString('latin1')}`;
    case 'f':
    case 'd':
      return `f${value.value}`;
    case 't':
    case 'D':
    case 'A':
    case 'F':
    case 'V':
      return value.type + formatFieldTerm(value);
    default:
      return `i${value.value}`;
  }
}

function bounded(key: string): string {
  if (key.length <= KEY_BYTES_MAX) return key;
  return `#${createHash('sha256').update(key, 'latin1').digest().toString('latin1')}`;
}

function ttlOf(value: FieldValue | undefined): number | undefined {
  const isNumber = typeof value?.value === 'number' || typeof value?.value === 'bigint';
  if (!isNumber || Number(value.value) < 0) return undefined;
  return Number(value.value);
}
