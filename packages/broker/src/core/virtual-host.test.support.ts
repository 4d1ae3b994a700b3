import type { FieldTable } from '@leveret/amqp';
import { Deadlines } from '../base/deadlines.js';
import { ManualClock } from '../base/manual-clock.test.support.js';
import { systemRandom } from '../base/random.js';
import type { ExchangeSpec } from './exchange/exchange.js';
import { InMemory } from './persistence.js';
import type { QueueRequest } from './queues.js';
import { TOPOLOGY_LIMITS, TopologyQuotas } from './quotas/topology-quotas.js';
import { type BindingRequest, VirtualHost } from './virtual-host.js';

const NONE: FieldTable = new Map();

/** Stands for a connection: compared, never looked into. */
export const CONNECTION = {};

export function newVirtualHost(
  clock: ManualClock = new ManualClock(),
  quotas: TopologyQuotas = new TopologyQuotas(TOPOLOGY_LIMITS),
): VirtualHost {
  const deadlines = new Deadlines(clock, (error) => {
    throw error;
  });
  const persistence = new InMemory();
  return new VirtualHost('/', { random: systemRandom, clock, deadlines, persistence, quotas });
}

/** What is asked for when a queue is declared with nothing but its name. */
export function queueRequest(name: string, differing: Partial<QueueRequest> = {}): QueueRequest {
  const usual = { durable: false, exclusive: false, autoDelete: false, arguments: NONE };
  return { name, ...usual, ...differing };
}

export function exchangeSpec(
  name: string,
  type: string,
  differing: Partial<ExchangeSpec> = {},
): ExchangeSpec {
  const usual = { durable: false, autoDelete: false, internal: false, arguments: NONE };
  return { name, type, ...usual, ...differing };
}

export function bindingRequest(
  source: string,
  destination: string,
  routingKey: string = '',
  args: FieldTable = NONE,
): BindingRequest {
  return { source, destination, routingKey, arguments: args };
}
