import { channelError, REPLY_CODES } from '@leveret/amqp';
import type { Deadlines } from '../../../base/deadlines.js';
import type { Consumer, ConsumerSpec } from '../../../core/consumer.js';
import type { Firehose, Subject, TraceOrigin } from '../../../core/events/firehose.js';
import type { Message } from '../../../core/message.js';
import type { Queue, Taken } from '../../../core/queue/queue.js';
import type { Outcome, StagedSettlement, Transaction } from '../../../core/transaction.js';
import { type Unacked, UnackedLedger } from '../../../core/unacked.js';
import type { AmqpMessage } from '../amqp-message.js';
import type { ChannelEvents } from '../connection-events.js';
import type { Transport } from '../transport.js';
import { ChannelConsumer, type ConsumerHost } from './channel-consumer.js';
import type { ContentWriter } from './delivery.js';
import { DeliveryTimeouts } from './delivery-timeouts.js';

/** What the consuming half needs of its channel. */
export interface DeliveriesHost {
  readonly deadlines: Deadlines;
  readonly events: ChannelEvents;
  readonly firehose: Firehose;
  readonly origin: TraceOrigin;
  /** The broker has cancelled a consumer. */
  consumerCancelled(consumerTag: string): void;
  /** A delivery has not been acknowledged within so many milliseconds. */
  timedOut(milliseconds: number): void;
  /** How many deliveries may be unacknowledged. */
  readonly unackedMax: number;
  /** That many are, for the first time: consumers wait. */
  heldUp(): void;
}

/**
 * The consuming half of a channel: its consumers, its credit, and what waits to be acknowledged.
 */
export class Deliveries implements ConsumerHost {
  readonly #transport: Transport;
  readonly #writer: ContentWriter;
  readonly #ledger = new UnackedLedger();
  readonly #consumers = new Map<string, ChannelConsumer>();
  readonly #host: DeliveriesHost;
  /** There as soon as a delivery has to be acknowledged within a time. */
  #timeouts: DeliveryTimeouts | undefined;
  readonly #firehose: Firehose;
  /** What the firehose has to be told of deliveries that it has seen, when they are settled. */
  #traced: Map<number, Subject> | undefined = undefined;
  /** Prefetch of the consumers started next: basic.qos with global=false. 0: any number. */
  consumerPrefetch = 0;
  /**
   * Deliveries to consumers that may be unacknowledged together: what global=true says, or the
   * limit.
   */
  #unackedMax: number;
  /** Whether a consumer has been refused a delivery for that, since some were settled. */
  #isHeldUp = false;
  #hasWarned = false;
  /** Queues whose single active consumer may have been one of this channel's. */
  #left: Set<Queue> | undefined = undefined;
  /** How many are, those got with basic.get left out. */
  #unacked = 0;

  constructor(transport: Transport, writer: ContentWriter, host: DeliveriesHost) {
    this.#transport = transport;
    this.#writer = writer;
    this.#host = host;
    this.#firehose = host.firehose;
    this.#unackedMax = host.unackedMax;
  }

  get consumerCount(): number {
    return this.#consumers.size;
  }

  /** Whether there is anything to acknowledge, or somebody it may come for. */
  get isWanted(): boolean {
    return this.#consumers.size > 0 || this.#ledger.size > 0;
  }

  hasConsumer(tag: string): boolean {
    return this.#consumers.has(tag);
  }

  /** Adds a consumer to a queue; it gets nothing before the queue is drained. Throws a Refusal. */
  addConsumer(spec: ConsumerSpec, queue: Queue, vhost: string): void {
    const prefix = this.#writer.deliverPrefix(spec.tag);
    const added = new ChannelConsumer(spec, queue, prefix, this);
    queue.add(added.consumer, vhost);
    this.#consumers.set(spec.tag, added);
    this.#host.events.consumerCreated(spec, queue.name);
  }

  /**
   * Ends a consumer; what it has not acknowledged stays with the channel. Returns its queue, to be
   * drained: another consumer may get its messages now.
   */
  cancelConsumer(tag: string, byClient: boolean = true): Queue | undefined {
    const consumer = this.#consumers.get(tag)?.consumer;
    if (consumer === undefined) return undefined;
    this.#consumers.delete(tag);
    const { queue } = consumer;
    this.#host.events.consumerDeleted(tag, queue.name, byClient);
    queue.cancel(consumer);
    return queue;
  }

  /** Ends all consumers. Their queues move on in {@link giveBackAll}. */
  cancelAll(): void {
    if (this.#consumers.size === 0) return;
    for (const tag of [...this.#consumers.keys()]) {
      const queue = this.cancelConsumer(tag, false);
      if (!queue?.isSingleActive) continue;
      this.#left ??= new Set();
      this.#left.add(queue);
    }
  }

  canTake(noAck: boolean): boolean {
    if (this.#transport.isCongested) return false;
    if (noAck || this.#unacked < this.#unackedMax) return true;
    this.#holdUp();
    return false;
  }

  /** Throws if there are as many deliveries unacknowledged as may be. */
  checkRoom(): void {
    const { unackedMax } = this.#host;
    if (this.#ledger.size < unackedMax) return;
    const text = `${unackedMax} deliveries on the channel are unacknowledged, the most there may be`;
    throw channelError(REPLY_CODES.PRECONDITION_FAILED, text);
  }

  deliver(to: ChannelConsumer, message: AmqpMessage, position: number, redelivered: boolean): void {
    // Who has published is not to suffer from what is wrong here.
    try {
      const { consumer } = to;
      let tag: number;
      if (consumer.noAck) {
        tag = this.#ledger.skip();
      } else {
        consumer.unacked++;
        this.#unacked++;
        tag = this.#ledger.add(consumer, position);
        const timeout = timeoutOf(consumer.queue, consumer);
        if (timeout !== undefined) this.#expectAck(tag, timeout);
      }
      this.#writer.deliver(to.prefix, tag, redelivered, message);
      this.#transport.defer();
      if (this.#firehose.isOn) this.#trace(consumer.queue, message, redelivered, tag);
    } catch (error) {
      this.#transport.brokenMeanwhile(error);
    }
  }

  /** Sends a message got with basic.get; `noAck` says that it is gone from the queue. */
  deliverGot(queue: Queue, { message, position, redelivered }: Taken, noAck: boolean): void {
    const tag = noAck ? this.#ledger.skip() : this.#ledger.add(queue, position);
    const timeout = queue.settings.consumerTimeoutMilliseconds;
    if (timeout !== undefined && !noAck) this.#expectAck(tag, timeout);
    if (this.#firehose.isOn) this.#trace(queue, message, redelivered, tag);
    // AMQP 0-9-1 is the only protocol that publishes, so every message is one of its own.
    this.#writer.getOk(tag, redelivered, message as AmqpMessage, queue.messageCount);
    this.#transport.defer();
  }

  /** Uses up a tag for a direct reply. */
  deliverReply(prefix: Buffer, message: AmqpMessage): void {
    // Who answers is not to suffer from what is wrong here.
    try {
      this.#writer.deliver(prefix, this.#ledger.skip(), false, message);
      this.#transport.defer();
    } catch (error) {
      this.#transport.brokenMeanwhile(error);
    }
  }

  cancelled({ consumer }: ChannelConsumer): void {
    this.#consumers.delete(consumer.tag);
    this.#host.events.consumerDeleted(consumer.tag, consumer.queue.name, false);
    try {
      this.#host.consumerCancelled(consumer.tag);
    } catch (error) {
      this.#transport.brokenMeanwhile(error);
    }
  }

  /** Sets the channel's own prefetch, 0 for none, and lets those go on that it may have held up. */
  setChannelPrefetch(count: number): void {
    const { unackedMax } = this.#host;
    this.#unackedMax = count === 0 ? unackedMax : Math.min(count, unackedMax);
    this.resumeAll();
  }

  /** Lets the consumers go on that were held up by something other than their own prefetch. */
  resumeAll(): void {
    this.#isHeldUp = false;
    for (const { consumer } of this.#consumers.values()) consumer.queue.resume(consumer);
  }

  /**
   * Settles one delivery, or all up to a tag: at once, or when the transaction is committed.
   * Throws if no delivery waits under that tag.
   */
  settle(
    deliveryTag: number,
    multiple: boolean,
    outcome: Outcome,
    transaction: Transaction | undefined,
  ): void {
    transaction?.checkRoom();
    if (!multiple) {
      const entry = this.#ledger.take(deliveryTag);
      if (entry === undefined) throw unknownTag(deliveryTag);
      if (transaction === undefined) {
        this.#release(entry, deliveryTag, outcome);
        this.#moveOn(entry, outcome);
      } else transaction.settle({ deliveryTag, entry, outcome });
      return;
    }
    const takers = new Takers();
    const known = this.#ledger.takeUpTo(deliveryTag, (entry, tag) => {
      if (transaction === undefined) {
        this.#release(entry, tag, outcome);
        takers.add(entry);
      } else transaction.settle({ deliveryTag: tag, entry, outcome });
    });
    if (!known) throw unknownTag(deliveryTag);
    for (const entry of takers.entries) this.#moveOn(entry, outcome);
  }

  /** Settles many deliveries: all of them first, and only then does anything move on. */
  commit(settlements: readonly StagedSettlement[]): void {
    for (const { deliveryTag, entry, outcome } of settlements) {
      this.#release(entry, deliveryTag, outcome);
    }
    for (const { entry, outcome } of settlements) this.#moveOn(entry, outcome);
  }

  /** tx.rollback: the deliveries wait for their settlement again. */
  rollback(settlements: readonly StagedSettlement[]): void {
    for (const { deliveryTag, entry } of settlements) {
      this.#ledger.restore(deliveryTag, entry);
      const timeout = timeoutOf(entry.queue, entry.consumer);
      if (timeout !== undefined) this.#expectAck(deliveryTag, timeout);
    }
  }

  /**
   * Takes every delivery back into its queue, where they are sent from again by `moveOn`: the
   * client has `returned` them, or the channel ends before they were acknowledged.
   */
  giveBackAll(how: 'returned' | 'failed'): { moveOn: () => void } {
    this.#timeouts?.stop();
    if (this.#ledger.size === 0 && this.#left === undefined) return NOTHING_GIVEN_BACK;
    const takers = new Takers();
    this.#ledger.takeUpTo(0, (entry) => {
      this.#free(entry, 'requeue', how);
      takers.add(entry);
    });
    return {
      moveOn: () => {
        for (const entry of takers.entries) this.#moveOn(entry, 'requeue');
        for (const queue of this.#left ?? []) queue.drain();
        this.#left = undefined;
      },
    };
  }

  #expectAck(deliveryTag: number, milliseconds: number): void {
    this.#timeouts ??= new DeliveryTimeouts(
      this.#host.deadlines,
      (tag) => this.#ledger.has(tag),
      (tag) => this.#timedOut(tag),
    );
    this.#timeouts.add(deliveryTag, milliseconds);
  }

  #timedOut(deliveryTag: number): void {
    const entry = this.#ledger.get(deliveryTag);
    if (entry === undefined) return;
    // It may be without a limit by now, or have another.
    const timeout = timeoutOf(entry.queue, entry.consumer);
    if (timeout !== undefined) this.#host.timedOut(timeout);
  }

  #holdUp(): void {
    this.#isHeldUp = true;
    if (this.#hasWarned || this.#unacked < this.#host.unackedMax) return;
    this.#hasWarned = true;
    this.#host.heldUp();
  }

  /** Tells the firehose of a delivery, and notes what it has to be told when that is settled. */
  #trace(queue: Queue, message: Message, redelivered: boolean, deliveryTag: number): void {
    const { origin } = this.#host;
    const subject = this.#firehose.delivered(queue, message, redelivered, origin);
    if (subject !== undefined && this.#ledger.has(deliveryTag)) {
      this.#traced ??= new Map();
      this.#traced.set(deliveryTag, subject);
    }
  }

  #release(entry: Unacked, deliveryTag: number, outcome: Outcome): void {
    if (this.#firehose.isOn) {
      const subject = this.#traced?.get(deliveryTag);
      this.#firehose.settled(entry.queue, outcome, this.#host.origin, subject);
    }
    this.#traced?.delete(deliveryTag);
    this.#free(entry, outcome);
  }

  /** Frees the message, and the credit it took. */
  #free(
    { queue, position, consumer }: Unacked,
    outcome: Outcome,
    how: 'returned' | 'failed' = 'returned',
  ): void {
    if (outcome === 'requeue') queue.giveBack(position, how);
    else if (outcome === 'discard') queue.reject(position);
    else queue.acknowledge(position);
    if (consumer === undefined) return;
    consumer.unacked--;
    this.#unacked--;
  }

  /** Lets go on what waited for the message or the credit. */
  #moveOn({ queue, consumer }: Unacked, outcome: Outcome): void {
    if (this.#isHeldUp) this.resumeAll();
    else if (consumer?.parked) queue.resume(consumer);
    if (outcome === 'requeue' || queue.hasGroups) queue.drain();
  }
}

/** Of a channel that has nothing to give back. */
const NOTHING_GIVEN_BACK = { moveOn: (): void => {} };

/** Of many deliveries one for each consumer or queue that had them. */
class Takers {
  readonly entries: Unacked[] = [];
  readonly #known = new Set<Consumer | Queue>();
  #last: Consumer | Queue | undefined;

  add(entry: Unacked): void {
    const taker = entry.consumer ?? entry.queue;
    if (taker === this.#last) return;
    this.#last = taker;
    if (this.#known.has(taker)) return;
    this.#known.add(taker);
    this.entries.push(entry);
  }
}

function unknownTag(deliveryTag: number): Error {
  const text = `unknown delivery tag ${deliveryTag}`;
  return channelError(REPLY_CODES.PRECONDITION_FAILED, text);
}

/** How long a delivery may go without an acknowledgement; undefined for any time. */
function timeoutOf(queue: Queue, consumer: Consumer | undefined): number | undefined {
  return consumer?.spec.timeoutMilliseconds ?? queue.settings.consumerTimeoutMilliseconds;
}
