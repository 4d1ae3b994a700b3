import type { FieldTable } from '@leveret/amqp';
import { DELAY_MS_MAX } from '../../delay/delay-headers.js';
import { integerArgument, numberArgument } from '../arguments.js';
import type { ComingBack } from './retry-delay.js';

/** How often a message is tried again unless it is said otherwise. */
const RETRIES_DEFAULT = 20;

/** By how much each wait is longer than the one before unless it is said otherwise. */
const MULTIPLIER_DEFAULT = 2;

/** Messages that come back wait before they are delivered again. */
export interface RetrySettings {
  /** Those that wait. */
  readonly on: readonly ComingBack[];
  /** The first wait × how often it came back, or × the multiplier each time. */
  readonly kind: 'linear' | 'exponential';
  readonly baseMilliseconds: number;
  /** The longest wait. */
  readonly maxMilliseconds: number;
  readonly multiplier: number;
  /** By what share of itself a wait may be shorter, 0 to 1. */
  readonly jitter: number;
  /** How often a message may come back at most; undefined for any number. */
  readonly maxCount: number | undefined;
}

type Definition = Readonly<Record<string, unknown>>;

/** RabbitMQ's `x-delayed-retry-type`. */
const TYPES: Readonly<Record<string, readonly ComingBack[]>> = {
  all: ['returned', 'failed'],
  returned: ['returned'],
  failed: ['failed'],
};

/**
 * What arguments and policies say about waiting; undefined if messages that come back do not wait.
 * `x-retry-delay` goes before RabbitMQ's `x-delayed-retry-type`, which has nothing to say then.
 */
export function effectiveRetrySettings(
  args: FieldTable,
  policy: Definition,
  operator: Definition,
): RetrySettings | undefined {
  return exponential(args, policy, operator) ?? linear(args, policy, operator);
}

/** The five of `x-retry-…`: of the count and the longest wait the smallest holds. */
function exponential(
  args: FieldTable,
  policy: Definition,
  operator: Definition,
): RetrySettings | undefined {
  const chosen = (key: string): number | undefined =>
    numberArgument(args, `x-${key}`) ?? numberOf(policy[key]);
  const smallest = (key: string): number | undefined =>
    minimum(numberArgument(args, `x-${key}`), numberOf(policy[key]), numberOf(operator[key]));
  const baseMilliseconds = chosen('retry-delay');
  if (baseMilliseconds === undefined) return undefined;
  return {
    on: ['returned', 'failed', 'rejected'],
    kind: 'exponential',
    baseMilliseconds,
    maxMilliseconds: smallest('retry-max-delay') ?? DELAY_MS_MAX,
    multiplier: chosen('retry-delay-multiplier') ?? MULTIPLIER_DEFAULT,
    jitter: chosen('retry-jitter') ?? 0,
    maxCount: smallest('retry-max-count') ?? RETRIES_DEFAULT,
  };
}

/**
 * RabbitMQ 4.3's three, put together as it does: the operator's type, then the policy's, then the
 * argument; of two policies the longer minimum and the shorter maximum, of argument and policy the
 * shorter.
 */
function linear(
  args: FieldTable,
  policy: Definition,
  operator: Definition,
): RetrySettings | undefined {
  const [min, max] = ['delayed-retry-min', 'delayed-retry-max'] as const;
  const argument = args.get('x-delayed-retry-type');
  const ownType = argument?.type === 'S' ? argument.value : undefined;
  const type = operator['delayed-retry-type'] ?? policy['delayed-retry-type'] ?? ownType;
  const on = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  const policyMin = maximum(numberOf(policy[min]), numberOf(operator[min]));
  const baseMilliseconds = minimum(integerArgument(args, `x-${min}`), policyMin);
  if (on === undefined || baseMilliseconds === undefined) return undefined;
  const ownMax = integerArgument(args, `x-${max}`);
  return {
    on,
    kind: 'linear',
    baseMilliseconds,
    maxMilliseconds:
      minimum(ownMax, numberOf(policy[max]), numberOf(operator[max])) ?? baseMilliseconds,
    multiplier: 1,
    jitter: 0,
    maxCount: undefined,
  };
}

function minimum(...values: readonly (number | undefined)[]): number | undefined {
  const numbers = values.filter((value) => value !== undefined);
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}

function maximum(...values: readonly (number | undefined)[]): number | undefined {
  const numbers = values.filter((value) => value !== undefined);
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
