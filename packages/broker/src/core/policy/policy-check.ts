import { Pattern, PatternError } from '../../base/pattern.js';
import { quote } from '../erlang-term.js';
import { readGroupKey } from '../queue/groups/group-key.js';
import { Refusal } from '../refusal.js';
import { formatJsonTerm } from './json-term.js';
import { POLICY_TARGETS, type PolicyKind, type PolicyRequest } from './policy.js';

/** The largest `stream-max-segment-size-bytes`. */
const SEGMENT_BYTES_MAX = 3_000_000_000;

/** What a key of a definition may be, and what RabbitMQ calls it: `<value> is not a valid ...`. */
interface Setting {
  readonly accepts: (value: unknown) => boolean;
  readonly isCalled: string;
  /** Whether an operator policy may set it, too. */
  readonly forOperator?: true;
}

const SETTINGS: Readonly<Record<string, Setting>> = {
  'alternate-exchange': { accepts: isText, isCalled: 'alternate exchange name' },
  'consumer-timeout': { accepts: isCount, isCalled: 'consumer timeout' },
  // The keys of RabbitMQ's deduplication plugin keep their `x-`.
  'x-cache-persistence': { accepts: oneOf('disk', 'memory'), isCalled: 'x-cache-persistence' },
  'x-cache-size': { accepts: isPositive, isCalled: 'x-cache-size' },
  'x-cache-ttl': { accepts: isPositive, isCalled: 'x-cache-ttl' },
  'x-message-deduplication': { accepts: isBoolean, isCalled: 'x-message-deduplication' },
  'cache-size': { accepts: isPositive, isCalled: 'cache size' },
  'cache-ttl': { accepts: isPositive, isCalled: 'cache TTL' },
  'message-deduplication': { accepts: isBoolean, isCalled: 'message deduplication' },
  'deduplication-header': { accepts: isText, isCalled: 'deduplication header' },
  'deduplication-dead-letter': { accepts: isBoolean, isCalled: 'deduplication dead letter' },
  'dead-letter-exchange': { accepts: isText, isCalled: 'dead letter exchange name' },
  'dead-letter-routing-key': { accepts: isText, isCalled: 'dead letter routing key' },
  'dead-letter-strategy': {
    accepts: oneOf('at-most-once', 'at-least-once'),
    isCalled: 'dead letter strategy',
  },
  'delayed-message': { accepts: isBoolean, isCalled: 'delayed message value' },
  'delayed-retry-max': {
    accepts: isPositive,
    isCalled: 'delayed retry maximum delay. Must be a positive integer',
    forOperator: true,
  },
  'delayed-retry-min': {
    accepts: isPositive,
    isCalled: 'delayed retry minimum delay. Must be a positive integer',
    forOperator: true,
  },
  'delayed-retry-type': {
    accepts: oneOf('all', 'failed', 'returned', 'disabled'),
    isCalled: 'delayed retry type. Must be one of: all, failed, returned, disabled',
    forOperator: true,
  },
  'delivery-limit': { accepts: isCount, isCalled: 'delivery limit', forOperator: true },
  expires: { accepts: isPositive, isCalled: 'queue expiry', forOperator: true },
  'group-by': {
    accepts: (value) => typeof value === 'string' && readGroupKey(value) !== undefined,
    isCalled: 'group key: a header, header:NAME, property:NAME or routing-key',
  },
  'initial-cluster-size': { accepts: isCount, isCalled: 'cluster size' },
  'max-age': { accepts: isAge, isCalled: 'max age' },
  'max-in-memory-bytes': {
    accepts: isCount,
    isCalled: 'maximum memory in bytes',
    forOperator: true,
  },
  'max-in-memory-length': {
    accepts: isCount,
    isCalled: 'maximum memory in bytes',
    forOperator: true,
  },
  'max-length': { accepts: isCount, isCalled: 'maximum length', forOperator: true },
  'max-length-bytes': { accepts: isCount, isCalled: 'maximum length in bytes', forOperator: true },
  'message-ttl': { accepts: isCount, isCalled: 'message TTL', forOperator: true },
  overflow: {
    accepts: oneOf('drop-head', 'reject-publish', 'reject-publish-dlx'),
    isCalled: 'overflow value',
    forOperator: true,
  },
  'queue-leader-locator': {
    accepts: oneOf('client-local', 'balanced', 'random', 'least-leaders'),
    isCalled: 'queue leader locator value',
  },
  'queue-mode': { accepts: oneOf('default', 'lazy'), isCalled: 'queue-mode value' },
  'queue-version': { accepts: oneOf(1, 2), isCalled: 'queue-version value', forOperator: true },
  'retry-delay': { accepts: isPositive, isCalled: 'retry delay' },
  'retry-delay-multiplier': {
    accepts: (value) => isNumber(value, 1, Number.MAX_VALUE),
    isCalled: 'retry delay multiplier. Must be a number from 1',
  },
  'retry-jitter': {
    accepts: (value) => isNumber(value, 0, 1),
    isCalled: 'retry jitter. Must be a number from 0 to 1',
  },
  'retry-max-count': { accepts: isCount, isCalled: 'retry count', forOperator: true },
  'retry-max-delay': { accepts: isPositive, isCalled: 'maximum retry delay', forOperator: true },
  'stream-filter-size-bytes': {
    accepts: (value) => isWithin(value, 16, 255),
    isCalled: 'filter size. Valid range is 16-255',
  },
  'stream-max-segment-size-bytes': {
    accepts: (value) => isWithin(value, 0, SEGMENT_BYTES_MAX),
    isCalled: 'segment size',
  },
};

/**
 * Keys about clusters, which policies of existing brokers are full of. They are taken as they are,
 * and change nothing on one node.
 */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'federation-upstream',
  'federation-upstream-pattern',
  'federation-upstream-set',
  'ha-mode',
  'ha-params',
  'ha-promote-on-failure',
  'ha-promote-on-shutdown',
  'ha-sync-batch-size',
  'ha-sync-mode',
  'queue-master-locator',
  'target-group-size',
]);

/**
 * Checks a policy as RabbitMQ does, and reads its pattern. Throws a Refusal with RabbitMQ's text.
 * What comes from JSON or from JavaScript may be of other types than it should.
 */
export function checkPolicy(kind: PolicyKind, request: PolicyRequest): Pattern {
  const { pattern, definition, applyTo = 'all', priority = 0 } = request;
  if (typeof priority !== 'number' || Number.isNaN(priority)) {
    throw invalid(`priority should be a number, actually was ${formatJsonTerm(priority)}`);
  }
  const read = readPattern(pattern);
  if (!POLICY_TARGETS.includes(applyTo)) {
    // Two blanks, as in RabbitMQ.
    throw invalid(
      `apply-to '${String(applyTo)}' unrecognised; should be one of: 'queues', 'classic_queues', ` +
        " 'quorum_queues', 'streams', 'exchanges', or 'all'",
    );
  }
  checkDefinition(kind, definition);
  return read;
}

function readPattern(pattern: unknown): Pattern {
  if (typeof pattern !== 'string') {
    throw invalid(`pattern should be a binary but was ${formatJsonTerm(pattern)}`);
  }
  try {
    return new Pattern(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const reason = `{${quote(error.message)},${error.offset}}`;
    throw invalid(`pattern should be regular expression but is invalid: ${reason}`);
  }
}

function checkDefinition(kind: PolicyKind, definition: unknown): void {
  if (typeof definition !== 'object' || definition === null || Array.isArray(definition)) {
    throw invalid(`definition must be a dictionary: ${formatJsonTerm(definition)}`);
  }
  const entries = Object.entries(definition).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) throw invalid('no policy provided');
  const unknown: string[] = [];
  for (const [key, value] of entries) {
    const setting = settingOf(kind, key);
    if (setting === undefined) unknown.push(`{${formatJsonTerm(key)},${formatJsonTerm(value)}}`);
    else if (!setting.accepts(value)) {
      throw invalid(`${formatJsonTerm(value)} is not a valid ${setting.isCalled}`);
    }
  }
  if (unknown.length > 0) {
    throw invalid(`[${unknown.join(',')}] are not recognised policy settings`);
  }
  checkRetry(new Map(entries));
}

/** What RabbitMQ asks of the keys about retries together, and of ours. */
function checkRetry(settings: ReadonlyMap<string, unknown>): void {
  const type = settings.get('delayed-retry-type') ?? 'disabled';
  const min = settings.get('delayed-retry-min');
  const max = settings.get('delayed-retry-max');
  if (type !== 'disabled' && min === undefined) {
    throw invalid(`delayed-retry-min is required when delayed-retry-type is ${String(type)}`);
  }
  if (typeof min === 'number' && typeof max === 'number' && max < min) {
    throw invalid(`delayed-retry-max (${max}) must not be smaller than delayed-retry-min (${min})`);
  }
  if (type !== 'disabled' && settings.has('retry-delay')) {
    throw invalid('delayed-retry-type and retry-delay ask for two delays: leave one of them out');
  }
}

function settingOf(kind: PolicyKind, key: string): Setting | undefined {
  if (WITHOUT_EFFECT.has(key)) return { accepts: () => true, isCalled: '' };
  const setting = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : undefined;
  return kind === 'policy' || setting?.forOperator ? setting : undefined;
}

function invalid(text: string): Refusal {
  return new Refusal('precondition-failed', text);
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
}

function isNumber(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

function isCount(value: unknown): boolean {
  return isWithin(value, 0, Number.MAX_SAFE_INTEGER);
}

function isPositive(value: unknown): boolean {
  return isWithin(value, 1, Number.MAX_SAFE_INTEGER);
}

/** As in `7D`: a positive number of years, months, days, hours, minutes or seconds. */
function isAge(value: unknown): boolean {
  return typeof value === 'string' && /^0*[1-9][0-9]*[YMDhms]$/.test(value);
}

function oneOf(...known: readonly unknown[]): (value: unknown) => boolean {
  return (value) => known.includes(value);
}
