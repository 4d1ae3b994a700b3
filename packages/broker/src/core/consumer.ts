import type { FieldTable } from '@leveret/amqp';
import type { DeliverySink } from './ports.js';
import type { Queue } from './queue/queue.js';

/** What a consumer is started with. */
export interface ConsumerSpec {
  /** Unique in its channel. */
  readonly tag: string;
  /** Deliveries count as acknowledged when they are sent. */
  readonly noAck: boolean;
  /** No other consumer on the queue. */
  readonly exclusive: boolean;
  /** How many deliveries may be unacknowledged at a time; 0 for any number. */
  readonly prefetchCount: number;
  /** Consumers with a higher number are served first while they have credit; 0 by default. */
  readonly priority: number;
  /** How long a delivery to it may go without an acknowledgement; undefined: as the queue says. */
  readonly timeoutMilliseconds: number | undefined;
  readonly arguments: FieldTable;
}

/** One subscription to a queue, with its credit. */
export class Consumer {
  readonly spec: ConsumerSpec;
  readonly queue: Queue;
  readonly sink: DeliverySink;
  readonly noAck: boolean;
  /** Deliveries not acknowledged yet; kept by the channel. */
  unacked = 0;
  /** Whether the queue has set it aside for want of credit, until {@link Queue.resume}. */
  parked = false;
  /** Its neighbours in the ring of those whose turn comes; undefined while it is in none. */
  previous: Consumer | undefined = undefined;
  next: Consumer | undefined = undefined;

  constructor(spec: ConsumerSpec, queue: Queue, sink: DeliverySink) {
    this.spec = spec;
    this.queue = queue;
    this.sink = sink;
    this.noAck = spec.noAck;
  }

  get tag(): string {
    return this.spec.tag;
  }

  /** How many messages it may be given now at most; the channel may stop it before that. */
  room(): number {
    if (!this.canTake()) return 0;
    const { prefetchCount } = this.spec;
    const isLimited = !this.noAck && prefetchCount > 0;
    return isLimited ? prefetchCount - this.unacked : Number.POSITIVE_INFINITY;
  }

  /** Whether it may be given another message now. */
  canTake(): boolean {
    const { prefetchCount } = this.spec;
    const hasCredit = this.noAck || prefetchCount === 0 || this.unacked < prefetchCount;
    return hasCredit && this.sink.canTake(this);
  }
}
