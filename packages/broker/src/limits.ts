import { OCCUPANCY_LIMITS, type OccupancyLimits } from './auth/occupancy.js';
import { TOPOLOGY_LIMITS, type TopologyLimits } from './core/quotas/topology-quotas.js';
import { CONNECTION_LIMITS, type ConnectionLimits } from './protocols/amqp091/limits.js';

/** The most that peers may ask for, each by itself and all together. */
export interface BrokerLimits extends ConnectionLimits, OccupancyLimits, TopologyLimits {}

/** What holds unless it is said otherwise. */
export const DEFAULT_LIMITS: BrokerLimits = {
  ...OCCUPANCY_LIMITS,
  ...CONNECTION_LIMITS,
  ...TOPOLOGY_LIMITS,
};

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A limit that may be lifted. */
const ANY_NUMBER: Range = { from: 0, to: Number.POSITIVE_INFINITY };
const ANY_BYTES: Range = ANY_NUMBER;
const A_DAY: Range = { from: 0, to: 86_400_000 };

/** What each may be set to. */
const RANGES: Readonly<Record<keyof BrokerLimits, Range>> = {
  connectionsMax: ANY_NUMBER,
  handshakesMax: { from: 1, to: Number.POSITIVE_INFINITY },
  brokerChannelsMax: ANY_NUMBER,
  channelsMax: { from: 1, to: 65_535 },
  consumersPerChannelMax: ANY_NUMBER,
  unackedPerChannelMax: { from: 1, to: Number.POSITIVE_INFINITY },
  stagedPerChannelMax: { from: 1, to: Number.POSITIVE_INFINITY },
  frameBytesMax: { from: 4_096, to: 134_217_728 },
  messageBytesMax: { from: 0, to: 536_870_912 },
  outputBytesMax: ANY_BYTES,
  blockedBytesMax: ANY_BYTES,
  heartbeatSeconds: { from: 0, to: 65_535 },
  handshakeMilliseconds: { from: 1, to: A_DAY.to },
  refusalMilliseconds: A_DAY,
  closeMilliseconds: A_DAY,
  queuesMax: ANY_NUMBER,
  exchangesMax: ANY_NUMBER,
  bindingsMax: ANY_NUMBER,
  consumersMax: ANY_NUMBER,
  argumentBytesMax: ANY_BYTES,
};

/** The defaults, but for what is given. Throws a RangeError if that is no limit, or no value. */
export function limitsOf(given: Partial<BrokerLimits> = {}): BrokerLimits {
  for (const [name, value] of Object.entries(given)) checkLimit(name, value);
  return { ...DEFAULT_LIMITS, ...given };
}

function checkLimit(name: string, value: unknown): void {
  if (!isLimit(name)) {
    const names = Object.keys(RANGES).join(', ');
    throw new RangeError(`there is no limit '${name}'; there are ${names}`);
  }
  const { from, to } = RANGES[name];
  const isWhole = Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY;
  if (typeof value === 'number' && isWhole && value >= from && value <= to) return;
  const most = to === Number.POSITIVE_INFINITY ? 'up, or infinity' : String(to);
  const range = `a whole number from ${from} ${most === String(to) ? 'to' : 'and'} ${most}`;
  throw new RangeError(`the limit ${name} must be ${range}, and is ${String(value)}`);
}

function isLimit(name: string): name is keyof BrokerLimits {
  return Object.hasOwn(RANGES, name);
}
