import { type FieldTable, type FieldValue, fieldTypeName } from '@leveret/amqp';
import { formatFieldTerm, quote } from '../erlang-term.js';
import { nameOf, Refusal } from '../refusal.js';
import { readGroupKey } from './groups/group-key.js';

/** Ten years: the longest time RabbitMQ takes for an expiry, in milliseconds. */
export const EXPIRY_MS_MAX = 315_360_000_000;

/** The highest `x-max-priority`. */
const PRIORITY_MAX = 255;

/** What is wrong with an argument, as the Erlang term RabbitMQ prints; undefined if nothing is. */
type Check = (value: FieldValue, args: FieldTable) => string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  // RabbitMQ looks at the type first, whatever else is wrong.
  'x-queue-type': checkQueueType,
  'x-expires': checkExpires,
  'x-message-ttl': checkMessageTtl,
  'x-dead-letter-exchange': checkString,
  'x-dead-letter-routing-key': checkDeadLetterRoutingKey,
  'x-dead-letter-strategy': oneOf(['at-most-once', 'at-least-once'], 'invalid_dlx_strategy'),
  'x-max-length': checkNonNegative,
  'x-max-length-bytes': checkNonNegative,
  'x-max-in-memory-length': checkNonNegative,
  'x-max-in-memory-bytes': checkNonNegative,
  'x-max-priority': checkMaxPriority,
  'x-overflow': oneOf(['drop-head', 'reject-publish', 'reject-publish-dlx'], 'invalid_overflow'),
  'x-queue-mode': checkQueueMode,
  'x-queue-version': checkQueueVersion,
  'x-single-active-consumer': checkBoolean,
  'x-quorum-initial-group-size': checkPositive,
  'x-initial-cluster-size': checkPositive,
  'x-consumer-timeout': checkNonNegative,
  'x-group-by': checkGroupBy,
  'x-delayed-retry-type': oneOf(
    ['all', 'failed', 'returned', 'disabled'],
    'invalid_delayed_retry_type',
  ),
  'x-delayed-retry-min': checkPositive,
  'x-delayed-retry-max': checkPositive,
  'x-retry-delay': checkRetryDelay,
  'x-retry-delay-multiplier': checkNumber((value) => value >= 1, '1 or more'),
  'x-retry-max-delay': checkRetryPart(checkPositive),
  'x-retry-max-count': checkRetryPart(checkNonNegative),
  'x-retry-jitter': checkNumber((value) => value >= 0 && value <= 1, '0 to 1'),
  'x-queue-leader-locator': oneOf(
    ['client-local', 'balanced', 'random', 'least-leaders'],
    'invalid_queue_locator_arg',
  ),
};

/** The arguments that must be the same when a queue is declared again; others are free. */
export const EQUIVALENT_ARGUMENTS: readonly string[] = [
  'x-expires',
  'x-message-ttl',
  'x-dead-letter-exchange',
  'x-dead-letter-routing-key',
  'x-dead-letter-strategy',
  'x-max-length',
  'x-max-length-bytes',
  'x-max-in-memory-length',
  'x-max-in-memory-bytes',
  'x-max-priority',
  'x-overflow',
  'x-queue-mode',
  'x-queue-version',
  'x-queue-master-locator',
  'x-single-active-consumer',
  'x-queue-type',
  'x-quorum-initial-group-size',
  'x-delivery-limit',
  'x-group-by',
  'x-retry-delay',
  'x-retry-delay-multiplier',
  'x-retry-max-delay',
  'x-retry-max-count',
  'x-retry-jitter',
];

/** Arguments that only a stream has; RabbitMQ refuses them on other queues. */
const STREAM_ARGUMENTS = [
  'x-max-age',
  'x-stream-max-segment-size-bytes',
  'x-stream-filter-size-bytes',
];

/**
 * Checks the arguments of a new queue, in RabbitMQ's words; names it does not know pass, as there.
 * Throws a Refusal that names the argument.
 */
export function checkQueueArguments(name: string, vhost: string, args: FieldTable): void {
  const queue = nameOf('queue', name, vhost);
  for (const [key, check] of Object.entries(CHECKS)) {
    const value = args.get(key);
    const problem = value && check(value, args);
    if (problem !== undefined) throw invalidArgument(key, queue, problem);
  }
  for (const key of STREAM_ARGUMENTS) {
    if (!args.has(key)) continue;
    const text = `invalid arg '${key}' for ${queue} of queue type ${queueType(args)}`;
    throw new Refusal('precondition-failed', text);
  }
}

/** Checks the arguments of a consumer. Throws a Refusal that names the argument. */
export function checkConsumerArguments(name: string, vhost: string, args: FieldTable): void {
  for (const [key, check] of [
    ['x-priority', checkInteger],
    ['x-cancel-on-ha-failover', checkBoolean],
    ['x-consumer-timeout', checkNonNegative],
  ] as const) {
    const value = args.get(key);
    const problem = value && check(value);
    if (problem !== undefined) throw invalidArgument(key, nameOf('queue', name, vhost), problem);
  }
}

function invalidArgument(key: string, queue: string, problem: string): Refusal {
  return new Refusal('precondition-failed', `invalid arg '${key}' for ${queue}: ${problem}`);
}

/** RabbitMQ's name for the type of queue that the arguments ask for: that of the module. */
export function queueType(args: FieldTable): string {
  const type = args.get('x-queue-type');
  return type?.type === 'S' ? `rabbit_${type.value}_queue` : 'rabbit_classic_queue';
}

/** Whether the arguments ask for a quorum queue. */
export function isQuorum(args: FieldTable): boolean {
  const type = args.get('x-queue-type');
  return type?.type === 'S' && type.value === 'quorum';
}

/** Whether the arguments ask for a single active consumer. */
export function isSingleActive(args: FieldTable): boolean {
  return args.get('x-single-active-consumer')?.value === true;
}

/** An argument's number, if it is an integer of any width. */
export function integerArgument(args: FieldTable, key: string): number | undefined {
  const value = args.get(key);
  return value === undefined ? undefined : integerOf(value);
}

/** An argument's number, integer or not. */
export function numberArgument(args: FieldTable, key: string): number | undefined {
  const value = args.get(key);
  return value?.type === 'd' || value?.type === 'f' ? value.value : integerArgument(args, key);
}

/** The number in an integer of any width; undefined if it is of another type. */
export function integerOf(value: FieldValue): number | undefined {
  switch (value.type) {
    case 'b':
    case 'B':
    case 's':
    case 'u':
    case 'I':
    case 'i':
      return value.value;
    case 'l':
      return Number(value.value);
    default:
      return undefined;
  }
}

function checkInteger(value: FieldValue): string | undefined {
  if (integerOf(value) !== undefined) return undefined;
  return quote(`expected integer, got ${fieldTypeName(value)}`);
}

function checkNonNegative(value: FieldValue): string | undefined {
  return checkInteger(value) ?? (integerOf(value)! < 0 ? term('value_negative', value) : undefined);
}

function checkPositive(value: FieldValue): string | undefined {
  return (
    checkNonNegative(value) ?? (integerOf(value) === 0 ? term('value_zero', value) : undefined)
  );
}

function checkExpiry(value: FieldValue): string | undefined {
  const tooLarge = (integerOf(value) ?? 0) > EXPIRY_MS_MAX;
  return tooLarge ? term('value_too_large', value) : checkNonNegative(value);
}

function checkMessageTtl(value: FieldValue): string | undefined {
  return checkInteger(value) ?? checkExpiry(value);
}

function checkExpires(value: FieldValue): string | undefined {
  return integerOf(value) === 0 ? term('value_zero', value) : checkMessageTtl(value);
}

function checkMaxPriority(value: FieldValue): string | undefined {
  const tooLarge = (integerOf(value) ?? 0) > PRIORITY_MAX;
  return checkNonNegative(value) ?? (tooLarge ? term('max_value_exceeded', value) : undefined);
}

function checkRetryDelay(value: FieldValue, args: FieldTable): string | undefined {
  const type = args.get('x-delayed-retry-type');
  if (type !== undefined && type.value !== 'disabled') {
    return quote("'x-delayed-retry-type' asks for delays, too: leave one of them out");
  }
  return integerOf(value) === 0 ? term('value_zero', value) : checkMessageTtl(value);
}

/** Means something together with `x-retry-delay` alone. */
function checkRetryPart(check: Check): Check {
  return (value, args) =>
    args.has('x-retry-delay') ? check(value, args) : quote("'x-retry-delay' is missing");
}

function checkNumber(accepts: (value: number) => boolean, range: string): Check {
  return checkRetryPart((value) => {
    const number = numberArgument(new Map([['', value]]), '');
    if (number !== undefined && accepts(number)) return undefined;
    return quote(`expected a number, ${range}, got ${formatFieldTerm(value)}`);
  });
}

function checkString(value: FieldValue): string | undefined {
  return value.type === 'S' ? undefined : unacceptable(value);
}

function checkBoolean(value: FieldValue): string | undefined {
  return value.type === 't' ? undefined : unacceptable(value);
}

function checkDeadLetterRoutingKey(value: FieldValue, args: FieldTable): string | undefined {
  if (value.type !== 'S') return unacceptable(value);
  return args.has('x-dead-letter-exchange') ? undefined : 'routing_key_but_no_dlx_defined';
}

function checkGroupBy(value: FieldValue, args: FieldTable): string | undefined {
  if (value.type !== 'S') return unacceptable(value);
  if (readGroupKey(value.value) === undefined) {
    return quote(
      `'${value.value}' is neither a header's name, nor header:NAME, property:NAME or routing-key`,
    );
  }
  if ((integerArgument(args, 'x-max-priority') ?? 0) === 0) return undefined;
  return quote(
    'x-max-priority lets messages overtake others of their group; use the one or the other',
  );
}

function checkQueueMode(value: FieldValue): string | undefined {
  if (value.type !== 'S') return unacceptable(value);
  const known = value.value === 'default' || value.value === 'lazy';
  return known ? undefined : quote(`unsupported queue mode '${value.value}'`);
}

function checkQueueType(value: FieldValue): string | undefined {
  if (value.type !== 'S') return unacceptable(value);
  const known = value.value === 'classic' || value.value === 'quorum';
  return known ? undefined : quote(`unsupported queue type '${value.value}'`);
}

function checkQueueVersion(value: FieldValue): string | undefined {
  const version = integerOf(value);
  const problem = checkNonNegative(value);
  if (problem !== undefined || version === 1 || version === 2) return problem;
  return quote(`unsupported queue version '${version}'`);
}

function oneOf(known: readonly string[], otherwise: string): Check {
  return (value) => {
    if (value.type !== 'S') return unacceptable(value);
    return known.includes(value.value) ? undefined : otherwise;
  };
}

function unacceptable(value: FieldValue): string {
  return `{unacceptable_type,${fieldTypeName(value)}}`;
}

function term(atom: string, value: FieldValue): string {
  return `{${atom},${formatFieldTerm(value)}}`;
}
