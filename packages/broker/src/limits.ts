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

type Range = readonly [from: number, to: number];

const ANY: Range = [0, Number.POSITIVE_INFINITY];
const SOME: Range = [1, Number.POSITIVE_INFINITY];
const DAY_MILLISECONDS = 86_400_000;

/** From where to where each may be set; to infinity is to no limit at all. */
const RANGES: Readonly<Record<keyof BrokerLimits, Range>> = {
  connectionsMax: ANY,
  handshakesMax: SOME,
  handshakeMilliseconds: [1, DAY_MILLISECONDS],
  refusalMilliseconds: [0, DAY_MILLISECONDS],
  closeMilliseconds: [0, DAY_MILLISECONDS],
  heartbeatSeconds: [0, 65_535],
  channelsMax: [1, 65_535],
  brokerChannelsMax: ANY,
  frameBytesMax: [4_096, 134_217_728],
  messageBytesMax: [0, 536_870_912],
  outputBytesMax: ANY,
  blockedBytesMax: ANY,
  consumersPerChannelMax: ANY,
  consumersMax: ANY,
  unackedPerChannelMax: SOME,
  stagedPerChannelMax: SOME,
  queuesMax: ANY,
  exchangesMax: ANY,
  bindingsMax: ANY,
  argumentBytesMax: ANY,
  deduplicationKeysMax: ANY,
};

/** The defaults, but for what is given. Throws a RangeError if that is no limit, or no value. */
export function limitsOf(given: Partial<BrokerLimits> = {}): BrokerLimits {
  for (const [name, value] of Object.entries(given)) checkLimit(name, value);
  return { ...DEFAULT_LIMITS, ...given };
}

function checkLimit(name: string, value: unknown): void {
  if (!isLimit(name)) {
    const names = Object.keys(RANGES).join(', ');
    throw new RangeError(`No limit is called '${name}': there are ${names}`);
  }
  const [from, to] = RANGES[name];
  const isWhole = Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY;
  if (isWhole && Number(value) >= from && Number(value) <= to) return;
  const range = `from ${from} to ${to}`.toLowerCase();
  throw new RangeError(`The limit ${name} is a whole number ${range}, not ${String(value)}`);
}

function isLimit(name: string): name is keyof BrokerLimits {
  return Object.hasOwn(RANGES, name);
}
