import type { BasicProperties, FieldTable, FieldValue } from '@leveret/amqp';
import type { Message } from '../message.js';
import { addDeath, type Death, type DeathReason, deathsField, readDeaths } from './deaths.js';

/** Where the dead letters of a queue go. */
export interface DeadLetterAddress {
  /** Name of the queue they come from. */
  readonly queue: string;
  readonly exchange: string;
  /** Undefined: the message's own routing keys. */
  readonly routingKey: string | undefined;
}

/** A message on its way from where it died to the dead-letter exchange. */
export interface DeadLetter {
  /** The message as it is published anew. It may be borrowed. */
  readonly message: Message;
  /** Name of the queue it comes from. */
  readonly queue: string;
  readonly reason: DeathReason;
  /** All its deaths, this one first. */
  readonly deaths: readonly Death[];
}

/**
 * A dead message as RabbitMQ publishes it anew: with the history of its deaths in its headers,
 * without an expiration, otherwise as it was. With a routing key of the queue's the header CC goes.
 * `seconds` is the time, since 1970.
 */
export function deadLetter(
  message: Message,
  reason: DeathReason,
  address: DeadLetterAddress,
  seconds: number,
): DeadLetter {
  const { expiration, ...properties } = message.properties();
  const headers = new Map(properties.headers);
  const known = readDeaths(headers);
  const death: Death = {
    queue: address.queue,
    reason,
    count: 1n,
    time: BigInt(Math.floor(seconds)),
    exchange: message.exchange,
    routingKeys: [message.routingKey, ...carbonCopies(headers)],
    originalExpiration: expiration,
  };
  const deaths = addDeath(known ?? [], death);
  headers.set('x-death', deathsField(deaths));
  if (known === undefined) setDeath(headers, 'first', death);
  setDeath(headers, 'last', death);
  if (address.routingKey !== undefined) headers.delete('CC');
  const readdressed = message.readdressed(
    address.exchange,
    address.routingKey ?? message.routingKey,
    { ...properties, headers } satisfies BasicProperties,
  );
  const keepsKeys = address.routingKey === undefined;
  readdressed.extraRoutingKeys = keepsKeys ? message.extraRoutingKeys : undefined;
  return { message: readdressed, queue: address.queue, reason, deaths };
}

function setDeath(headers: Map<string, FieldValue>, which: 'first' | 'last', death: Death): void {
  headers.set(`x-${which}-death-exchange`, { type: 'S', value: death.exchange });
  headers.set(`x-${which}-death-queue`, { type: 'S', value: death.queue });
  headers.set(`x-${which}-death-reason`, { type: 'S', value: death.reason });
}

function carbonCopies(headers: FieldTable): string[] {
  const copies = headers.get('CC');
  if (copies?.type !== 'A') return [];
  return copies.value.flatMap((key) => (key.type === 'S' ? [key.value] : []));
}
