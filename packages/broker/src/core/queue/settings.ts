import type { FieldTable } from '@leveret/amqp';
import { type QueueDeduplicationSettings, queueDeduplication } from '../deduplication/settings.js';
import { integerArgument } from './arguments.js';
import { effectiveRetrySettings, type RetrySettings } from './retry/retry-settings.js';

/** What happens when a queue is full: the argument `x-overflow`. */
export type Overflow = 'drop-head' | 'reject-publish' | 'reject-publish-dlx';

/** How sure dead-lettering is: the argument `x-dead-letter-strategy`. */
export type DeadLetterStrategy = 'at-most-once' | 'at-least-once';

/**
 * What a queue does with its messages besides keeping them in order, as far as it may change while
 * the queue lives. Undefined means: no such limit. Times are in milliseconds.
 */
export interface QueueSettings {
  /** `x-message-ttl`: how long a message stays at most. */
  readonly messageTtlMilliseconds: number | undefined;
  /** `x-expires`: how long the queue itself stays when nobody uses it. */
  readonly expiresMilliseconds: number | undefined;
  /** `x-max-length`: how many messages may be ready. */
  readonly maxLength: number | undefined;
  /** `x-max-length-bytes`: how many octets the bodies of ready messages may have together. */
  readonly maxLengthBytes: number | undefined;
  /** `x-overflow`. */
  readonly overflow: Overflow;
  /** `x-dead-letter-exchange`: a name; the exchange may be missing. A wire string. */
  readonly deadLetterExchange: string | undefined;
  /** `x-dead-letter-routing-key`: instead of the message's own. A wire string. */
  readonly deadLetterRoutingKey: string | undefined;
  /** `x-dead-letter-strategy`. */
  readonly deadLetterStrategy: DeadLetterStrategy;
  /** `x-delivery-limit`: how often a message may come back; undefined for any number. */
  readonly deliveryLimit: number | undefined;
  /** `x-retry-…`, `x-delayed-retry-…`: how long what comes back waits; undefined for not at all. */
  readonly retry: RetrySettings | undefined;
  /** `x-consumer-timeout`: how long a delivery may go without an acknowledgement. */
  readonly consumerTimeoutMilliseconds: number | undefined;
  /** `x-group-by`: what a message's group goes by; undefined if there are no groups. */
  readonly groupBy: string | undefined;
  /** `x-message-deduplication`, and what belongs to it. */
  readonly deduplication: QueueDeduplicationSettings | undefined;
}

/**
 * The definition of a policy: keys are the arguments' names without `x-`, as in `message-ttl`.
 * Strings are wire strings. It has been checked before; what is of another type is passed over.
 */
export type PolicyDefinition = Readonly<Record<string, unknown>>;

const NO_POLICY: PolicyDefinition = {};

/** The keys whose smaller value wins, whoever sets it. */
type LimitKey =
  | 'message-ttl'
  | 'expires'
  | 'max-length'
  | 'max-length-bytes'
  | 'delivery-limit'
  | 'consumer-timeout';

/**
 * What holds for a queue: its arguments, the policy that matches it and the operator policy that
 * does, put together as RabbitMQ does. Of limits the smallest holds; of everything else the queue's
 * own argument, then the policy's, except that the operator's `overflow` goes before the policy's.
 * A negative `delivery-limit` is none, and gives way to any.
 */
export function effectiveQueueSettings(
  args: FieldTable,
  policy: PolicyDefinition = NO_POLICY,
  operatorPolicy: PolicyDefinition = NO_POLICY,
): QueueSettings {
  const limit = (key: LimitKey): number | undefined =>
    smallest([
      integerArgument(args, `x-${key}`),
      numberOf(policy[key]),
      numberOf(operatorPolicy[key]),
    ]);
  const text = (key: string): string | undefined => textArgument(args, `x-${key}`);
  const chosen = (key: string): string | undefined => text(key) ?? textOf(policy[key]);
  const overflow = text('overflow') ?? textOf(operatorPolicy.overflow) ?? textOf(policy.overflow);
  const strategy = chosen('dead-letter-strategy');
  const retry = effectiveRetrySettings(args, policy, operatorPolicy);
  return {
    messageTtlMilliseconds: limit('message-ttl'),
    expiresMilliseconds: limit('expires'),
    maxLength: limit('max-length'),
    maxLengthBytes: limit('max-length-bytes'),
    overflow: isOverflow(overflow) ? overflow : 'drop-head',
    deadLetterExchange: chosen('dead-letter-exchange'),
    deadLetterRoutingKey: chosen('dead-letter-routing-key'),
    deadLetterStrategy: strategy === 'at-least-once' ? strategy : 'at-most-once',
    deliveryLimit: smallest([limit('delivery-limit'), retry?.maxCount]),
    retry,
    consumerTimeoutMilliseconds: limit('consumer-timeout'),
    groupBy: chosen('group-by'),
    deduplication: queueDeduplication(args, policy),
  };
}

function smallest(values: readonly (number | undefined)[]): number | undefined {
  const limits = values.filter((value) => value !== undefined && value >= 0);
  // Only numbers are left.
  return limits.length === 0 ? undefined : Math.min(...(limits as number[]));
}

function isOverflow(value: string | undefined): value is Overflow {
  return value === 'drop-head' || value === 'reject-publish' || value === 'reject-publish-dlx';
}

function textArgument(args: FieldTable, key: string): string | undefined {
  const value = args.get(key);
  return value?.type === 'S' ? value.value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
