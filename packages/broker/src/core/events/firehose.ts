import type { BasicProperties, FieldTable, FieldValue } from '@leveret/amqp';
import type { Turn, TurnEnd } from '../../base/turn.js';
import type { DeathReason } from '../dead-letter/deaths.js';
import type { Message } from '../message.js';
import type { DeathWatch, NewMessage, Receiver } from '../ports.js';
import type { Queue } from '../queue/queue.js';
import type { Outcome } from '../transaction.js';
import type { VirtualHost } from '../virtual-host.js';
import type { Reporting } from './reporting.js';

/** RabbitMQ's name for the exchange that traces are published to. */
export const TRACE_EXCHANGE = 'amq.rabbitmq.trace';

/** Longest routing key, in octets; a trace's is longer than the name it ends with. */
const ROUTING_KEY_BYTES_MAX = 255;

/** The channel on which a message came or goes. */
export interface TraceOrigin {
  /** The connection's name; a wire string. */
  readonly connection: string;
  readonly channel: number;
  readonly user: string;
}

/** What a trace is about: a message, as its headers and body. */
export interface Subject {
  readonly exchange: string | undefined;
  readonly headers: readonly (readonly [string, FieldValue])[];
  readonly body: Buffer;
}

const NO_SUBJECT: Subject = { exchange: undefined, headers: [], body: Buffer.alloc(0) };

/** P_basic's fields by RabbitMQ's names, in the order of the specification. */
const PROPERTY_NAMES: readonly (readonly [key: keyof BasicProperties, name: string])[] = [
  ['contentType', 'content_type'],
  ['contentEncoding', 'content_encoding'],
  ['headers', 'headers'],
  ['deliveryMode', 'delivery_mode'],
  ['priority', 'priority'],
  ['correlationId', 'correlation_id'],
  ['replyTo', 'reply_to'],
  ['expiration', 'expiration'],
  ['messageId', 'message_id'],
  ['timestamp', 'timestamp'],
  ['type', 'type'],
  ['userId', 'user_id'],
  ['appId', 'app_id'],
  ['clusterId', 'cluster_id'],
];

/**
 * The firehose of a virtual host: while it is on, every message that is published, delivered,
 * settled or expired is published once more, to `amq.rabbitmq.trace`, with the routing key
 * `publish.EXCHANGE`, `deliver.QUEUE`, `ack.QUEUE`, `nack.QUEUE`, `expire.QUEUE` or
 * `dead-letter.QUEUE`, its own body, and headers that say what it was. The first two are
 * RabbitMQ's, word for word; the others are not to be had there.
 *
 * Whoever has something to report asks {@link isOn} first: that is all the firehose costs when it
 * is off. Traces are made at once, as messages may be borrowed, and published when the turn ends,
 * so that nothing happens in the middle of a delivery.
 */
export class Firehose implements TurnEnd, DeathWatch {
  isOn = false;
  readonly #vhost: VirtualHost;
  readonly #node: string;
  readonly #turn: Turn;
  readonly #newMessage: NewMessage;
  readonly #broken: (error: unknown) => void;
  #pending: Message[] = [];

  constructor(
    vhost: VirtualHost,
    ports: Pick<Reporting, 'node' | 'turn' | 'newMessage' | 'broken'>,
  ) {
    this.#vhost = vhost;
    this.#node = ports.node;
    this.#turn = ports.turn;
    this.#newMessage = ports.newMessage;
    this.#broken = ports.broken;
  }

  published(message: Message, queues: readonly Receiver[], origin: TraceOrigin): void {
    this.#trace(`publish.${message.exchange}`, subjectOf(message), [
      ...this.#origin(origin),
      routedQueues(queues),
    ]);
  }

  /** Returns what {@link settled} has to be told when the delivery is; undefined for nothing. */
  delivered(
    queue: Queue,
    message: Message,
    redelivered: boolean,
    origin: TraceOrigin,
  ): Subject | undefined {
    return this.#trace(`deliver.${queue.name}`, subjectOf(message), [
      ['redelivered', integer(redelivered ? 1 : 0)],
      ...this.#origin(origin),
    ]);
  }

  /** Without a subject if it was delivered before the firehose was turned on. */
  settled(
    queue: Queue,
    outcome: Outcome,
    origin: TraceOrigin,
    subject: Subject = NO_SUBJECT,
  ): void {
    const isAck = outcome === 'acknowledge';
    const headers = this.#origin(origin);
    if (!isAck) headers.unshift(['requeue', integer(outcome === 'requeue' ? 1 : 0)]);
    this.#trace(`${isAck ? 'ack' : 'nack'}.${queue.name}`, subject, headers);
  }

  expired(queue: string, message: Message): void {
    this.#trace(`expire.${queue}`, subjectOf(message), [this.#where()]);
  }

  deadLettered(
    queue: string,
    letter: Message,
    reason: DeathReason,
    destinations: readonly Receiver[],
  ): void {
    this.#trace(`dead-letter.${queue}`, subjectOf(letter), [
      ['reason', text(reason)],
      this.#where(),
      routedQueues(destinations),
    ]);
  }

  endTurn(): void {
    const pending = this.#pending;
    this.#pending = [];
    try {
      for (const trace of pending) this.#vhost.publishInternally(TRACE_EXCHANGE, trace);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** Makes a trace, unless nobody would see it; returns its subject in memory of its own. */
  #trace(
    routingKey: string,
    subject: Subject,
    headers: readonly (readonly [string, FieldValue])[],
  ): Subject | undefined {
    // What the firehose itself has published is not news.
    if (subject.exchange === TRACE_EXCHANGE) return undefined;
    if (!this.#vhost.exchanges.get(TRACE_EXCHANGE)?.hasBindings) return undefined;
    const trace = this.#newMessage({
      exchange: TRACE_EXCHANGE,
      routingKey: routingKey.slice(0, ROUTING_KEY_BYTES_MAX),
      properties: {
        headers: new Map([...subject.headers, ['node', text(this.#node)], ...headers]),
      },
      body: subject.body,
    });
    if (this.#pending.length === 0) this.#turn.defer(this);
    this.#pending.push(trace);
    return { ...subject, body: trace.body() };
  }

  #where(): [string, FieldValue] {
    return ['vhost', text(this.#vhost.name)];
  }

  #origin({ connection, channel, user }: TraceOrigin): [string, FieldValue][] {
    return [
      this.#where(),
      ['connection', text(connection)],
      ['channel', integer(channel)],
      ['user', text(user)],
    ];
  }
}

function routedQueues(queues: readonly Receiver[]): [string, FieldValue] {
  return ['routed_queues', { type: 'A', value: queues.map(({ name }) => text(name)) }];
}

function subjectOf(message: Message): Subject {
  const properties = message.properties();
  return {
    exchange: message.exchange,
    headers: [
      ['exchange_name', text(message.exchange)],
      ['routing_keys', { type: 'A', value: routingKeysOf(message, properties).map(text) }],
      ['properties', { type: 'F', value: propertiesTable(properties) }],
    ],
    body: message.body(),
  };
}

/** A message on its way in knows its further keys; later they are only in its header CC. */
function routingKeysOf(message: Message, { headers }: BasicProperties): string[] {
  const { routingKey, extraRoutingKeys } = message;
  if (extraRoutingKeys !== undefined) return [routingKey, ...extraRoutingKeys];
  const copies = headers?.get('CC');
  const keys = copies?.type === 'A' ? copies.value : [];
  return [routingKey, ...keys.flatMap((key) => (key.type === 'S' ? [key.value] : []))];
}

function propertiesTable(properties: BasicProperties): FieldTable {
  const table = new Map<string, FieldValue>();
  for (const [key, name] of PROPERTY_NAMES) {
    const value = properties[key];
    if (value !== undefined) table.set(name, propertyValue(value));
  }
  return table;
}

function propertyValue(value: NonNullable<BasicProperties[keyof BasicProperties]>): FieldValue {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return integer(value);
  if (typeof value === 'object') return { type: 'F', value };
  // RabbitMQ writes 32 bits whatever the number is; a timestamp may need more.
  return BigInt.asIntN(32, value) === value ? integer(Number(value)) : { type: 'l', value };
}

function text(value: string): FieldValue {
  return { type: 'S', value };
}

function integer(value: number): FieldValue {
  return { type: 'I', value };
}
