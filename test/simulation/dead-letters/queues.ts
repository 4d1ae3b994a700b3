import type { WireArguments } from '../../wire/wire-codec.js';
import type { BrokerAccess } from '../traffic/broker-access.js';
import type { StreamClient } from '../traffic/stream-client.js';

/**
 * The queues that letters are published to, and where those go that die:
 *
 *     work ──(rejected)──► failed ──► retry ──(expired)──► work
 *     poison, timed, short ──► dead
 */
export const HOMES = ['work', 'poison', 'timed', 'short'] as const;

export type Home = (typeof HOMES)[number];

/** In the order in which one meets every letter once: none goes from a later one to an earlier. */
export const QUEUES_IN_ORDER: readonly string[] = [
  'timed',
  'short',
  'poison',
  'retry',
  'work',
  'dead',
];

/** How often a letter in `poison` may come back. */
export const DELIVERY_LIMIT = 2;
/** How long a letter stays in `timed` at most, in milliseconds. */
export const TTL_MILLISECONDS = 1_500;
/** Octets of letters that there is room for in `short`. */
export const SHORT_BYTES = 2_000;

const TO_DEAD = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };

const ARGUMENTS: Readonly<Record<string, WireArguments>> = {
  dead: {},
  work: { 'x-dead-letter-exchange': 'failed' },
  // From here a letter is gone only when `work` has it.
  retry: {
    'x-message-ttl': 400,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': 'work',
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  },
  poison: { ...TO_DEAD, 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT },
  timed: { ...TO_DEAD, 'x-message-ttl': TTL_MILLISECONDS, 'x-max-priority': 2 },
  short: { ...TO_DEAD, 'x-max-length-bytes': SHORT_BYTES },
};

/** Declares all of it; fine if it is there already. */
export async function declareQueues(broker: BrokerAccess, client: StreamClient): Promise<void> {
  const ask = (name: string, args: WireArguments) => broker.wait(client.call(name, args));
  await ask('exchange.declare', { exchange: 'failed', type: 'fanout', durable: true });
  for (const [queue, args] of Object.entries(ARGUMENTS)) {
    await ask('queue.declare', { queue, durable: true, arguments: args });
  }
  await ask('queue.bind', { queue: 'retry', exchange: 'failed', routingKey: '' });
}
