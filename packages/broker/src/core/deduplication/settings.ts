import type { FieldTable } from '@leveret/amqp';
import { integerArgument } from '../queue/arguments.js';

/** The plugin's exchange type: a fanout that lets each key through once. */
export const DEDUPLICATION_TYPE = 'x-message-deduplication';

/** The header that holds a message's key unless `x-deduplication-header` names another. */
export const KEY_HEADER = 'x-deduplication-header';

/** How many keys a window holds by default, as in LavinMQ. */
const SIZE_DEFAULT = 128;
/** The same where keys go by time: few would go before it is up. */
const SIZE_DEFAULT_TIMED = 100_000;
/** The most that a window, or a queue, holds keys of: a JavaScript map has room for 16,777,216. */
export const KEYS_MAX = 16_000_000;

/** What duplicates are told by, and what becomes of them. Strings are wire strings. */
export interface DeduplicationSettings {
  /** `x-deduplication-header`: which header holds the key. */
  readonly header: string;
  /** Whether the property `message_id` is the key of a message without that header. */
  readonly takesMessageId: boolean;
  /** `x-cache-size`: how many keys are remembered, at most {@link KEYS_MAX}. */
  readonly size: number;
  /** `x-cache-ttl`: for how long, in milliseconds; undefined for as long as there is room. */
  readonly ttlMilliseconds: number | undefined;
}

/** Of a queue. */
export interface QueueDeduplicationSettings extends DeduplicationSettings {
  /** Whether a key counts while its message is in the queue, and no window is kept. */
  readonly whilePresent: boolean;
  /** `x-deduplication-dead-letter`: whether duplicates go to the dead-letter exchange. */
  readonly deadLetters: boolean;
}

/** Of an exchange. */
export interface ExchangeDeduplicationSettings extends DeduplicationSettings {
  /** Whether a duplicate goes to the alternate exchange, as in the plugin. */
  readonly usesAlternate: boolean;
  /** Where duplicates go: `x-dead-letter-exchange`, if `x-deduplication-dead-letter` says so. */
  readonly deadLetterExchange: string | undefined;
  /** `x-dead-letter-routing-key`; undefined for the message's own. */
  readonly deadLetterRoutingKey: string | undefined;
}

type Definition = Readonly<Record<string, unknown>>;

const NO_POLICY: Definition = {};

/**
 * By a queue's arguments and policy; undefined if it takes duplicates. A queue that names neither
 * size nor time goes by what is in it (the plugin); one that does keeps a window (LavinMQ). Where
 * both say something the policy holds, as in the plugin, whose keys keep their `x-`.
 */
export function queueDeduplication(
  args: FieldTable,
  policy: Definition = NO_POLICY,
): QueueDeduplicationSettings | undefined {
  const isAsked = policy['x-message-deduplication'] ?? policy['message-deduplication'];
  if (!(isAsked ?? args.get('x-message-deduplication')?.value === true)) return undefined;
  const size = numberOf(policy['cache-size']) ?? countArgument(args, 'x-cache-size');
  const ttlMilliseconds = numberOf(policy['cache-ttl']) ?? countArgument(args, 'x-cache-ttl');
  return {
    ...keySettings(args, policy),
    ...windowSettings(size, ttlMilliseconds),
    whilePresent: size === undefined && ttlMilliseconds === undefined,
    deadLetters: deadLetters(args, policy),
  };
}

/**
 * By an exchange's type, arguments and policy; undefined if it takes duplicates. The plugin's type
 * goes by the header alone, as the plugin promises.
 */
export function exchangeDeduplication(
  type: string,
  args: FieldTable,
  policy: Definition = NO_POLICY,
): ExchangeDeduplicationSettings | undefined {
  const isPlugin = type === DEDUPLICATION_TYPE;
  const isAsked =
    policy['message-deduplication'] ?? args.get('x-message-deduplication')?.value === true;
  if (!isPlugin && !isAsked) return undefined;
  const number = (key: string): number | undefined =>
    numberOf(policy[`x-${key}`]) ?? numberOf(policy[key]) ?? countArgument(args, `x-${key}`);
  const keys = keySettings(args, policy);
  return {
    ...keys,
    ...windowSettings(number('cache-size'), number('cache-ttl')),
    takesMessageId: keys.takesMessageId && !isPlugin,
    usesAlternate: isPlugin,
    deadLetterExchange: deadLetters(args, policy)
      ? textArgument(args, 'x-dead-letter-exchange')
      : undefined,
    deadLetterRoutingKey: textArgument(args, 'x-dead-letter-routing-key'),
  };
}

/** An argument's number: an integer, or decimal digits, as the plugin reads it. */
export function countArgument(args: FieldTable, key: string): number | undefined {
  const text = textArgument(args, key);
  if (text === undefined) return integerArgument(args, key);
  return /^[+-]?\d+/.test(text) ? Number.parseInt(text, 10) : undefined;
}

function keySettings(
  args: FieldTable,
  policy: Definition,
): Pick<DeduplicationSettings, 'header' | 'takesMessageId'> {
  const named = textOf(policy['deduplication-header']) ?? textArgument(args, KEY_HEADER);
  return { header: named ?? KEY_HEADER, takesMessageId: named === undefined };
}

function windowSettings(
  size: number | undefined,
  ttlMilliseconds: number | undefined,
): Pick<DeduplicationSettings, 'size' | 'ttlMilliseconds'> {
  const usual = ttlMilliseconds === undefined ? SIZE_DEFAULT : SIZE_DEFAULT_TIMED;
  return { size: Math.min(size ?? usual, KEYS_MAX), ttlMilliseconds };
}

function deadLetters(args: FieldTable, policy: Definition): boolean {
  const isAsked = policy['deduplication-dead-letter'];
  return (isAsked ?? args.get('x-deduplication-dead-letter')?.value) === true;
}

function textArgument(args: FieldTable, key: string): string | undefined {
  const value = args.get(key);
  return value?.type === 'S' ? value.value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
