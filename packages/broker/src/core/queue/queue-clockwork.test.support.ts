import { ManualClock } from '../../base/manual-clock.test.support.js';
import { Consumer, type ConsumerSpec } from '../consumer.js';
import type { Message } from '../message.js';
import { TestMessage } from '../message.test.support.js';
import { type Plain, tableOf } from '../plain-table.test.support.js';
import type { VirtualHost } from '../virtual-host.js';
import { CONNECTION, newVirtualHost, queueRequest } from '../virtual-host.test.support.js';
import type { Queue } from './queue.js';

/** What a consumer has been given. */
export interface Delivery {
  readonly label: string;
  readonly position: number;
  readonly redelivered: boolean;
  readonly message: Message;
}

/** A consumer that takes what it is given for as long as it has credit. */
export interface Reader {
  readonly consumer: Consumer;
  readonly deliveries: Delivery[];
  isCancelled: boolean;
}

/** A virtual host whose time is turned by hand, and its queues and exchanges by name. */
export class QueueClockwork {
  readonly clock: ManualClock = new ManualClock();
  readonly vhost: VirtualHost = newVirtualHost(this.clock);

  /** Declares a queue with arguments as plain values. */
  declare(name: string, args: Readonly<Record<string, Plain>> = {}): Queue {
    const durable = args['x-queue-type'] === 'quorum';
    const request = queueRequest(name, { arguments: tableOf(args), durable });
    return this.vhost.queues.declare(request, CONNECTION);
  }

  /** Declares a fanout exchange, and binds queues to it. */
  fanout(name: string, ...queues: readonly Queue[]): void {
    const usual = { durable: false, autoDelete: false, internal: false, arguments: new Map() };
    this.vhost.exchanges.declare({ name, type: 'fanout', ...usual });
    for (const queue of queues) {
      this.vhost.exchanges.bind(this.vhost.exchanges.require(name), queue, '', new Map());
    }
  }

  /** Publishes to a queue through the default exchange; whether it was accepted. */
  publish(queue: Queue, label: string, properties: { expiration?: string } = {}): boolean {
    const message = new TestMessage(label, new Map(), false, properties.expiration);
    message.routingKey = queue.name;
    return queue.publish(message);
  }

  /** The labels of everything that is ready, taken from the queue. */
  drain(queue: Queue): string[] {
    const labels: string[] = [];
    for (let taken = queue.get(true); taken !== undefined; taken = queue.get(true)) {
      labels.push(labelOf(taken.message));
    }
    return labels;
  }

  consume(queue: Queue, differing: Partial<ConsumerSpec> = {}): Reader {
    const spec: ConsumerSpec = {
      tag: 'c',
      noAck: false,
      exclusive: false,
      prefetchCount: 0,
      priority: 0,
      timeoutMilliseconds: undefined,
      arguments: new Map(),
      ...differing,
    };
    const deliveries: Delivery[] = [];
    const consumer: Consumer = new Consumer(spec, queue, {
      canTake: () => true,
      deliver: (_consumer, message, position, redelivered) => {
        if (!spec.noAck) consumer.unacked++;
        deliveries.push({ label: labelOf(message), position, redelivered, message });
      },
      cancelled: () => {
        reader.isCancelled = true;
      },
    });
    const reader: Reader = { consumer, deliveries, isCancelled: false };
    queue.add(consumer, '/');
    queue.drain();
    return reader;
  }
}

function labelOf(message: Message): string {
  return message.body().toString();
}
