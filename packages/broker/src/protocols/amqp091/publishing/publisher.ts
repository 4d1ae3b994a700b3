import { channelError, connectionError, REPLY_CODES } from '@leveret/amqp';
import type { Firehose, TraceOrigin } from '../../../core/events/firehose.js';
import type { Receiver } from '../../../core/ports.js';
import type { Transaction } from '../../../core/transaction.js';
import type { AmqpMessage } from '../amqp-message.js';
import type { ConnectionContext } from '../context.js';
import type { ContentWriter } from '../delivering/delivery.js';
import { Confirms } from './confirms.js';
import { BASIC_PUBLISH, PublishAssembler } from './publish-assembler.js';
import { checkPublish, type PublisherIdentity } from './publish-check.js';

/** The publishing half of a channel: takes publishes in, routes them, returns and confirms them. */
export class Publisher {
  readonly assembler: PublishAssembler;
  readonly confirms: Confirms = new Confirms();
  /** Set while the channel is in transaction mode. */
  transaction: Transaction | undefined;
  readonly #context: ConnectionContext;
  readonly #writer: ContentWriter;
  readonly #identity: PublisherIdentity;
  readonly #firehose: Firehose;
  readonly #origin: TraceOrigin;

  /** `identity` is asked anew for each publish: the reply address comes and goes. */
  constructor(
    context: ConnectionContext,
    writer: ContentWriter,
    identity: PublisherIdentity,
    origin: TraceOrigin,
  ) {
    this.#context = context;
    this.#firehose = context.vhost.firehose;
    this.#origin = origin;
    this.#writer = writer;
    this.#identity = identity;
    this.assembler = new PublishAssembler(context.slabs);
  }

  /** Refuses a body that is too large before it comes. Throws. */
  checkSize(): void {
    const { messageBytesMax } = this.#context.limits;
    const { bodyBytes } = this.assembler.message;
    if (bodyBytes <= messageBytesMax) return;
    const text = `message size ${bodyBytes} is larger than configured max size ${messageBytesMax}`;
    throw channelError(REPLY_CODES.PRECONDITION_FAILED, text, BASIC_PUBLISH);
  }

  /** Publishes the message that has come whole. Throws what closes the channel or connection. */
  publish(): void {
    const { assembler } = this;
    const { message } = assembler;
    if (assembler.immediate) {
      throw connectionError(REPLY_CODES.NOT_IMPLEMENTED, 'immediate=true', BASIC_PUBLISH);
    }
    const { vhost } = this.#context;
    const exchange = vhost.publishable(message.exchange);
    checkPublish(assembler, this.#identity);
    if (exchange.delays) vhost.delays.check(message);
    const queues = vhost.route(exchange, message);
    if (this.confirms.isEnabled) this.confirms.published();
    if (this.transaction === undefined) this.#enqueue(message, queues, assembler.mandatory);
    else this.transaction.publish(message, queues, assembler.mandatory);
  }

  /** tx.commit, the publishing half: what was staged is published. */
  commit(publishes: ReturnType<Transaction['take']>['publishes']): void {
    for (const { message, queues, mandatory } of publishes) {
      // A transaction that a queue would refuse is not committed to begin with.
      for (const queue of queues) queue.publish(message, true);
      // Staged here, by this class: it is of this protocol.
      if (queues.length === 0) this.#unrouted(message as AmqpMessage, mandatory);
      message.release();
    }
  }

  #enqueue(message: AmqpMessage, queues: readonly Receiver[], mandatory: boolean): void {
    if (this.#firehose.isOn) this.#firehose.published(message, queues, this.#origin);
    if (queues.length === 1) {
      if (!queues[0]!.publish(message)) this.confirms.refused();
      return;
    }
    let isRefused = false;
    for (const queue of queues) if (!queue.publish(message)) isRefused = true;
    if (isRefused) this.confirms.refused();
    if (queues.length === 0) this.#unrouted(message, mandatory);
  }

  #unrouted(message: AmqpMessage, mandatory: boolean): void {
    const { vhost } = this.#context;
    const reply = message.exchange === '' ? vhost.replies.find(message.routingKey) : undefined;
    if (reply !== undefined) reply.deliverReply(message);
    else if (mandatory) this.#writer.returned(REPLY_CODES.NO_ROUTE, 'NO_ROUTE', message);
  }
}
