import { channelError, connectionError, REPLY_CODES } from '@leveret/amqp';
import type { Passage } from '../../../core/deduplication/passage.js';
import type { Firehose, TraceOrigin } from '../../../core/events/firehose.js';
import type { Message } from '../../../core/message.js';
import type { Receiver } from '../../../core/ports.js';
import type { StagedPublish, Transaction } from '../../../core/transaction.js';
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
  /** The exchange that was found permitted last, and at which version: most publishes repeat it. */
  #permitted: string | undefined;
  #permittedAt = -1;
  #governsTopics = false;

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
    this.transaction?.checkRoom();
    const { vhost, access } = this.#context;
    if (message.exchange !== this.#permitted || access.version !== this.#permittedAt) {
      this.#checkPermitted(message.exchange);
    }
    const exchange = vhost.publishable(message.exchange);
    checkPublish(assembler, this.#identity);
    if (this.#governsTopics && exchange.spec.type === 'topic') this.#checkTopics(message);
    const { mandatory } = assembler;
    if (exchange.delays) vhost.delays.check(message);
    const queues = vhost.route(exchange, message);
    const passage = vhost.takePassage();
    if (this.confirms.isEnabled) this.confirms.published();
    if (this.transaction !== undefined) {
      this.transaction.publish(message, queues, mandatory, passage);
    } else {
      const isTaken = this.#enqueue(message, queues, mandatory, passage);
      passage?.settle(message, isTaken);
    }
  }

  /** tx.commit, the publishing half: what was staged is published. */
  commit(publishes: ReturnType<Transaction['take']>['publishes']): void {
    for (const staged of publishes) {
      const { message, mandatory } = staged;
      const { queues, passage } = staged.passage?.isLate ? this.#routedAnew(message) : staged;
      // A transaction that a queue would refuse is not committed to begin with.
      for (const queue of queues) queue.publish(message, true);
      // Staged here, by this class: it is of this protocol.
      if (queues.length === 0) this.#unrouted(message as AmqpMessage, mandatory, passage);
      passage?.settle(message, queues.length > 0);
      message.release();
    }
  }

  #checkPermitted(exchange: string): void {
    const { access } = this.#context;
    access.check('write', 'exchange', exchange);
    this.#permitted = exchange;
    this.#permittedAt = access.version;
    this.#governsTopics = access.governsTopics(exchange);
  }

  /** The keys in CC and BCC lead as far as the routing key does. */
  #checkTopics({ exchange, routingKey, extraRoutingKeys }: AmqpMessage): void {
    const { access } = this.#context;
    access.checkTopic('write', exchange, routingKey);
    for (const key of extraRoutingKeys ?? []) access.checkTopic('write', exchange, key);
  }

  /** While it was staged its key has come by: it may be a duplicate now. */
  #routedAnew(message: Message): Pick<StagedPublish, 'queues' | 'passage'> {
    const { vhost } = this.#context;
    const exchange = vhost.exchanges.get(message.exchange);
    if (exchange === undefined) return { queues: [], passage: undefined };
    return { queues: vhost.route(exchange, message), passage: vhost.takePassage() };
  }

  /** False if nobody has got it, or a queue has refused it. */
  #enqueue(
    message: AmqpMessage,
    queues: readonly Receiver[],
    mandatory: boolean,
    passage: Passage | undefined,
  ): boolean {
    if (this.#firehose.isOn) this.#firehose.published(message, queues, this.#origin);
    if (queues.length === 1) {
      const isTaken = queues[0]!.publish(message);
      if (!isTaken) this.confirms.refused();
      return isTaken;
    }
    let isRefused = false;
    for (const queue of queues) if (!queue.publish(message)) isRefused = true;
    if (isRefused) this.confirms.refused();
    if (queues.length === 0) this.#unrouted(message, mandatory, passage);
    return !isRefused && queues.length > 0;
  }

  #unrouted(message: AmqpMessage, mandatory: boolean, passage: Passage | undefined): void {
    const { vhost } = this.#context;
    const reply = message.exchange === '' ? vhost.replies.find(message.routingKey) : undefined;
    if (reply !== undefined) {
      reply.deliverReply(message);
      return;
    }
    const isDuplicate = passage?.isHeldBack === true;
    if (!isDuplicate) vhost.unroutables.note(message);
    if (!mandatory) return;
    const text = isDuplicate ? 'NO_ROUTE: duplicate' : 'NO_ROUTE';
    this.#writer.returned(REPLY_CODES.NO_ROUTE, text, message);
  }
}
