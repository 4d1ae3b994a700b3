import type { FieldTable, FieldValue } from '@leveret/amqp';
import { ManualClock } from '../../base/manual-clock.test.support.js';
import { TestMessage } from '../message.test.support.js';
import { type Plain, tableOf } from '../plain-table.test.support.js';
import type { Queue } from '../queue/queue.js';
import type { VirtualHost } from '../virtual-host.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from '../virtual-host.test.support.js';

/** A virtual host whose time is turned by hand, with exchanges that delay. */
export class DelayWorld {
  readonly clock: ManualClock = new ManualClock();
  readonly vhost: VirtualHost = newVirtualHost(this.clock);

  /** Declares an exchange as the plugin does. */
  delayed(name: string, type: string = 'direct'): void {
    this.exchange(name, 'x-delayed-message', { 'x-delayed-type': type });
  }

  exchange(name: string, type: string, args: Readonly<Record<string, Plain>> = {}): void {
    this.vhost.exchanges.declare(exchangeSpec(name, type, { arguments: tableOf(args) }));
  }

  /** A new queue that is bound to an exchange. */
  queue(
    name: string,
    exchange: string,
    key: string = 'k',
    args: Readonly<Record<string, Plain>> = {},
  ): Queue {
    const queue = this.vhost.queues.declare(
      queueRequest(name, { arguments: tableOf(args) }),
      CONNECTION,
    );
    this.vhost.bindQueue(bindingRequest(exchange, name, key), CONNECTION);
    return queue;
  }

  /** Publishes as a publisher does; to how many receivers it went at once. */
  publish(exchange: string, label: string, headers: Headers = {}, key: string = 'k'): number {
    const message = new TestMessage(label, tableOfHeaders(headers));
    message.exchange = exchange;
    message.routingKey = key;
    return this.send(message);
  }

  send(message: TestMessage): number {
    const exchange = this.vhost.publishable(message.exchange);
    if (exchange.delays) this.vhost.delays.check(message);
    const receivers = this.vhost.route(exchange, message);
    for (const receiver of receivers) receiver.publish(message);
    return receivers.length;
  }

  /** The labels of everything that is ready, taken from the queue. */
  drain(queue: Queue): string[] {
    const labels: string[] = [];
    for (let taken = queue.get(true); taken !== undefined; taken = queue.get(true)) {
      labels.push(taken.message.body().toString());
    }
    return labels;
  }

  /** How many messages of an exchange wait. */
  pending(exchange: string): number {
    return this.vhost.delays.of(this.vhost.exchanges.require(exchange))?.count ?? 0;
  }
}

/** Milliseconds of `x-delay`, or headers in full. */
export type Headers = number | Readonly<Record<string, FieldValue>>;

function tableOfHeaders(headers: Headers): FieldTable {
  if (typeof headers === 'object') return new Map(Object.entries(headers));
  return new Map([['x-delay', { type: 'I', value: headers }]]);
}
