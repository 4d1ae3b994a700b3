import { Consumer, type ConsumerSpec } from '../../../core/consumer.js';
import type { Message } from '../../../core/message.js';
import type { DeliverySink } from '../../../core/ports.js';
import type { Queue } from '../../../core/queue/queue.js';
import type { AmqpMessage } from '../amqp-message.js';

/** What a channel does for its consumers. */
export interface ConsumerHost {
  canTake(noAck: boolean): boolean;
  deliver(
    consumer: ChannelConsumer,
    message: AmqpMessage,
    position: number,
    redelivered: boolean,
  ): void;
  cancelled(consumer: ChannelConsumer): void;
}

/** A consumer on a channel: the queue's view of it, and the beginning of its delivery frames. */
export class ChannelConsumer implements DeliverySink {
  readonly consumer: Consumer;
  /** The same octets begin every basic.deliver it gets. */
  readonly prefix: Buffer;
  readonly #host: ConsumerHost;

  constructor(spec: ConsumerSpec, queue: Queue, prefix: Buffer, host: ConsumerHost) {
    this.consumer = new Consumer(spec, queue, this);
    this.prefix = prefix;
    this.#host = host;
  }

  canTake(consumer: Consumer): boolean {
    return this.#host.canTake(consumer.noAck);
  }

  deliver(_consumer: Consumer, message: Message, position: number, redelivered: boolean): void {
    // AMQP 0-9-1 is the only protocol that publishes, so every message is one of its own.
    this.#host.deliver(this, message as AmqpMessage, position, redelivered);
  }

  cancelled(): void {
    this.#host.cancelled(this);
  }
}
