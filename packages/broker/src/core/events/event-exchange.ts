import type { FieldValue } from '@leveret/amqp';
import type { Clock } from '../../base/clock.js';
import type { Turn, TurnEnd } from '../../base/turn.js';
import type { Exchange } from '../exchange/exchange.js';
import type { EventHeader, EventSink, NewMessage } from '../ports.js';
import type { VirtualHost } from '../virtual-host.js';

/** RabbitMQ's name for the exchange that events are published to. */
export const EVENT_EXCHANGE = 'amq.rabbitmq.event';

const NO_BODY: Buffer = Buffer.alloc(0);

/** An event that waits for the end of the turn. */
interface Pending {
  readonly key: string;
  readonly wallTime: number;
  readonly headers: readonly EventHeader[];
}

/**
 * Publishes what happens in the broker to the topic exchange `amq.rabbitmq.event` of one virtual
 * host, as RabbitMQ's event exchange plugin does: the routing key names the event, headers carry
 * the particulars, there is no body. It costs nothing while nothing is bound to that exchange.
 *
 * Events are published when the turn ends: whoever reports one is in the middle of something, and
 * publishing can lead anywhere.
 */
export class EventExchange implements EventSink, TurnEnd {
  readonly #clock: Clock;
  readonly #turn: Turn;
  readonly #newMessage: NewMessage;
  readonly #broken: (error: unknown) => void;
  #vhost: VirtualHost | undefined;
  #exchange: Exchange | undefined;
  #pending: Pending[] = [];

  constructor(ports: {
    readonly clock: Clock;
    readonly turn: Turn;
    readonly newMessage: NewMessage;
    readonly broken: (error: unknown) => void;
  }) {
    this.#clock = ports.clock;
    this.#turn = ports.turn;
    this.#newMessage = ports.newMessage;
    this.#broken = ports.broken;
  }

  get isHeard(): boolean {
    return this.#exchange?.hasBindings ?? false;
  }

  /** Says in which virtual host the exchange is; until then nobody hears anything. */
  publishIn(vhost: VirtualHost): void {
    this.#vhost = vhost;
    this.#exchange = provideEventExchange(vhost);
  }

  emit(key: string, headers: readonly EventHeader[]): void {
    if (!this.isHeard) return;
    if (this.#pending.length === 0) this.#turn.defer(this);
    this.#pending.push({ key, headers, wallTime: this.#clock.wallTime() });
  }

  endTurn(): void {
    const pending = this.#pending;
    this.#pending = [];
    try {
      for (const event of pending) this.#publish(event);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** The broker is closing: what waits is published, and nothing after it. */
  stop(): void {
    this.endTurn();
    this.#vhost = undefined;
    this.#exchange = undefined;
  }

  #publish({ key, headers, wallTime }: Pending): void {
    const milliseconds: FieldValue = { type: 'l', value: BigInt(Math.floor(wallTime)) };
    this.#vhost?.publishInternally(
      EVENT_EXCHANGE,
      this.#newMessage({
        exchange: EVENT_EXCHANGE,
        routingKey: key,
        properties: {
          headers: new Map([['timestamp_in_ms', milliseconds], ...headers]),
          deliveryMode: 2,
          timestamp: BigInt(Math.floor(wallTime / 1_000)),
        },
        body: NO_BODY,
      }),
    );
  }
}

/** Sees to it that a virtual host has the exchange. */
export function provideEventExchange(vhost: VirtualHost): Exchange {
  return vhost.exchanges.provide(EVENT_EXCHANGE, 'topic');
}
