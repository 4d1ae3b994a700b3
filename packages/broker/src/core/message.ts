import type { BasicProperties, FieldTable } from '@leveret/amqp';
import type { Storable } from '../store/journal/chain.js';

/**
 * A message on its way through the broker: what routing and queueing need to know, and the rest in
 * the bytes of the protocol it came by, which only that protocol's front end reads.
 *
 * A front end extends this class. The message it hands to {@link VirtualHost.publish} may be one
 * object that it fills anew for each publish, with bytes that are only borrowed: whoever wants to
 * have the message after the call asks it to {@link keep} itself.
 *
 * Strings are wire strings: one character per octet.
 */
export abstract class Message implements Storable {
  /** Name of the exchange it was published to. */
  exchange = '';
  routingKey = '';
  /** Delivery mode 2: survives a restart in a durable queue. */
  persistent = false;
  /** 0 to 255; 0 when the publisher gave none. */
  priority = 0;
  /** The property `expiration` in milliseconds; -1 when the publisher gave none. */
  expirationMilliseconds = -1;
  /** Further routing keys from the headers CC and BCC; undefined for nearly every message. */
  extraRoutingKeys: readonly string[] | undefined = undefined;

  /** Size of the body in octets. */
  abstract get bodyBytes(): number;
  /** The headers property, decoded on demand: an empty table when there is none. */
  abstract headers(): FieldTable;
  /** All properties, decoded on demand. */
  abstract properties(): BasicProperties;
  /** The body; a view, or a copy where the body is in pieces. */
  abstract body(): Buffer;

  /** The same message with other properties, borrowed from this one or in memory of its own. */
  abstract withProperties(properties: BasicProperties): Message;
  /** The same, and as if it had been published to another exchange, with another routing key. */
  abstract readdressed(exchange: string, routingKey: string, properties: BasicProperties): Message;
  /** The message in memory of its own; the same one for every call during one publish. */
  abstract keep(): Message;
  /** One more holder of a kept message: a queue's store, a transaction. */
  abstract retain(): void;
  /** One holder less; with the last one the message's memory is given back. */
  abstract release(): void;
  /** Which protocol's front end reads the stored form back. */
  abstract readonly format: number;
  /** Size of the stored form in octets. */
  abstract get storedBytes(): number;
  /** Writes the stored form. */
  abstract writeTo(buffer: Buffer, at: number): void;
  /** Moves a kept message out of memory that hardly anything else uses any more. */
  abstract compact(): void;
}
