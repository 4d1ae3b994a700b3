import type { FieldTable, FieldValue } from '@leveret/amqp';

/** Why a message left its queue without having been acknowledged, in the words of `x-death`. */
export type DeathReason = 'rejected' | 'expired' | 'maxlen' | 'delivery_limit' | 'duplicate';

/** What is told of a message's dying in a queue for a reason. */
export interface Death {
  readonly queue: string;
  readonly reason: string;
  /** How often it did. */
  readonly count: bigint;
  /** When it did first, in seconds since 1970. */
  readonly time: bigint;
  /** Where it had been published to when it did first, and with what keys. */
  readonly exchange: string;
  readonly routingKeys: readonly string[];
  /** The `expiration` it had then, in decimal digits. */
  readonly originalExpiration: string | undefined;
}

/**
 * A message's deaths as its header `x-death` tells them, the latest first; undefined if it has no
 * such header. Entries that are not RabbitMQ's are passed over.
 */
export function readDeaths(headers: FieldTable): readonly Death[] | undefined {
  const header = headers.get('x-death');
  if (header?.type !== 'A') return undefined;
  return header.value.map(readDeath).filter((death) => death !== undefined);
}

function readDeath(entry: FieldValue): Death | undefined {
  if (entry.type !== 'F') return undefined;
  const queue = textOf(entry.value.get('queue'));
  const reason = textOf(entry.value.get('reason'));
  const exchange = textOf(entry.value.get('exchange'));
  const count = integerOf(entry.value.get('count'));
  const time = integerOf(entry.value.get('time'));
  const keys = entry.value.get('routing-keys');
  if (queue === undefined || reason === undefined || exchange === undefined) return undefined;
  if (count === undefined || time === undefined || keys?.type !== 'A') return undefined;
  const routingKeys = keys.value.map(textOf).filter((key) => key !== undefined);
  const originalExpiration = textOf(entry.value.get('original-expiration'));
  return { queue, reason, count, time, exchange, routingKeys, originalExpiration };
}

/**
 * The deaths after one more. One of the same queue and reason is counted there and comes first, but
 * says what it said; any other is new.
 */
export function addDeath(deaths: readonly Death[], death: Death): readonly Death[] {
  const isSame = (each: Death) => each.queue === death.queue && each.reason === death.reason;
  const known = deaths.find(isSame);
  if (known === undefined) return [death, ...deaths];
  const raised = { ...known, count: known.count + 1n };
  return [raised, ...deaths.filter((each) => each !== known)];
}

/** The header `x-death`: one table a death, its fields in RabbitMQ's order. */
export function deathsField(deaths: readonly Death[]): FieldValue {
  return { type: 'A', value: deaths.map(deathField) };
}

function deathField(death: Death): FieldValue {
  const table = new Map<string, FieldValue>();
  const { originalExpiration } = death;
  if (originalExpiration !== undefined) table.set('original-expiration', text(originalExpiration));
  table.set('count', { type: 'l', value: death.count });
  table.set('reason', text(death.reason));
  table.set('queue', text(death.queue));
  table.set('time', { type: 'T', value: death.time });
  table.set('exchange', text(death.exchange));
  table.set('routing-keys', { type: 'A', value: death.routingKeys.map(text) });
  return { type: 'F', value: table };
}

/**
 * Whether a message that has just died would go round in circles if it went to a queue: it has died
 * there before, and nobody has rejected it since.
 */
export function isCycle(deaths: readonly Death[], queue: string): boolean {
  const last = deaths.findIndex((death) => death.queue === queue);
  return last >= 0 && deaths.slice(0, last + 1).every(({ reason }) => reason !== 'rejected');
}

function text(value: string): FieldValue {
  return { type: 'S', value };
}

function textOf(field: FieldValue | undefined): string | undefined {
  return field?.type === 'S' ? field.value : undefined;
}

function integerOf(field: FieldValue | undefined): bigint | undefined {
  switch (field?.type) {
    case 'b':
    case 'B':
    case 's':
    case 'u':
    case 'I':
    case 'i':
      return BigInt(field.value);
    case 'l':
    case 'T':
      return field.value;
    default:
      return undefined;
  }
}
