import type { BasicProperties } from '@leveret/amqp';
import type { ManualClock } from '../../base/manual-clock.test.support.js';
import type { ConsumerSpec } from '../consumer.js';
import { MessageWithProperties } from '../exchange/routing-fixture.test.support.js';
import { type Plain, tableOf } from '../plain-table.test.support.js';
import type { PolicyDefinition } from '../policy/policy.js';
import type { Queue } from '../queue/queue.js';
import { QueueClockwork, type Reader } from '../queue/queue-clockwork.test.support.js';
import type { VirtualHost } from '../virtual-host.js';
import { bindingRequest, CONNECTION, exchangeSpec } from '../virtual-host.test.support.js';

/** What a message says of itself. */
export interface Keyed {
  readonly key?: Plain;
  readonly messageId?: string;
  readonly headers?: Readonly<Record<string, Plain>>;
}

/** A virtual host whose time is turned by hand, and which is published to as a channel does. */
export class DeduplicationWorld {
  readonly #clockwork = new QueueClockwork();
  readonly clock: ManualClock = this.#clockwork.clock;
  readonly vhost: VirtualHost = this.#clockwork.vhost;
  #published = 0;

  queue(name: string, args: Readonly<Record<string, Plain>> = {}): Queue {
    return this.#clockwork.declare(name, args);
  }

  consume(queue: Queue, differing: Partial<ConsumerSpec>): Reader {
    return this.#clockwork.consume(queue, differing);
  }

  /** An exchange, and what is bound to it, each with an empty key. */
  exchange(
    name: string,
    type: string,
    args: Readonly<Record<string, Plain>>,
    ...bound: readonly string[]
  ): void {
    this.vhost.exchanges.declare(exchangeSpec(name, type, { arguments: tableOf(args) }));
    for (const queue of bound) this.vhost.bindQueue(bindingRequest(name, queue), CONNECTION);
  }

  policy(name: string, definition: PolicyDefinition): void {
    this.vhost.policies.set({ name: 'p', pattern: `^${name}$`, definition });
  }

  /** Publishes, and says what became of the message. */
  publish(
    exchange: string,
    routingKey: string,
    { key, messageId, headers = {} }: Keyed,
  ): 'taken' | 'refused' | 'unrouted' | 'duplicate' {
    const table = tableOf({
      ...(key === undefined ? {} : { 'x-deduplication-header': key }),
      ...headers,
    });
    const properties: BasicProperties = {
      headers: table,
      ...(messageId === undefined ? {} : { messageId }),
    };
    const message = new MessageWithProperties(`m${this.#published++}`, properties);
    message.exchange = exchange;
    message.routingKey = routingKey;
    const queues = this.vhost.route(this.vhost.exchanges.require(exchange), message);
    const passage = this.vhost.takePassage();
    const isTaken = queues.map((queue) => queue.publish(message)).every((taken) => taken);
    passage?.settle(message, isTaken && queues.length > 0);
    if (!isTaken) return 'refused';
    if (queues.length > 0) return 'taken';
    return passage?.isHeldBack ? 'duplicate' : 'unrouted';
  }

  /** How many duplicates a queue or exchange has kept out. */
  duplicates(name: string): number | undefined {
    const { deduplication, queues, exchanges } = this.vhost;
    const counts = [...deduplication.list(queues.all(), exchanges.all())];
    return counts.find((each) => each.name === name)?.duplicates;
  }
}
