import {
  type AmqpError,
  channelError,
  connectionError,
  decodeMethod,
  encodeMethodFrame,
  FRAME_BODY,
  FRAME_HEADER,
  FRAME_METHOD,
  type MethodId,
  type MethodInput,
  type MethodName,
  REPLY_CODES,
} from '@leveret/amqp';
import type { ReplySink } from '../../core/reply-addresses.js';
import type { AmqpMessage } from './amqp-message.js';
import { ChannelEvents } from './connection-events.js';
import type { ConnectionContext } from './context.js';
import { Deliveries } from './delivering/deliveries.js';
import { ContentWriter } from './delivering/delivery.js';
import { dispatch } from './dispatch.js';
import { BASIC_PUBLISH, notAContentHeader } from './publishing/publish-assembler.js';
import type { PublisherIdentity } from './publishing/publish-check.js';
import { Publisher } from './publishing/publisher.js';
import type { Transport } from './transport.js';

/** Class and method id as one number, as they stand in a payload. */
const PUBLISH = 0x003c_0028;
const ACK = 0x003c_0050;
/** Octets of a basic.ack's payload: ids, delivery tag, flags. */
const ACK_BYTES = 13;

/** The direct reply-to consumer of a channel. */
interface ReplyConsumer {
  readonly tag: string;
  readonly address: string;
  readonly prefix: Buffer;
}

/**
 * A channel (0-9-1 §1.5): takes the frames that carry its number, puts publishes together, and
 * hands methods to their handlers. What it does beyond that is done by its two halves, the
 * {@link Publisher} and the {@link Deliveries}.
 */
export class Channel implements ReplySink, PublisherIdentity {
  readonly number: number;
  readonly context: ConnectionContext;
  readonly publisher: Publisher;
  readonly deliveries: Deliveries;
  /** The queue that an empty name means: the one declared last on this channel. */
  lastQueue = '';
  replyConsumer: ReplyConsumer | undefined;
  /** Closed, by us or by the peer: what comes is ignored, and what was to be answered is not. */
  isClosing = false;
  readonly #transport: Transport;
  readonly #writer: ContentWriter;
  readonly #events: ChannelEvents;
  /** Tells the connection that there will be confirms to send when the turn ends. */
  readonly #confirmLater: (channel: Channel) => void;
  #confirmsDue = false;
  /** How much had been asked of the disk before the current method. */
  #appendedBefore = 0;
  /** And how many duplicates there had been: what they repeat may not be on the disk yet. */
  #duplicatesBefore = 0;
  /** How much had been asked of it when the last publish to be confirmed was made. */
  #publishedAt = 0;
  /** The method being handled: errors are laid to it. */
  #current: MethodId = { classId: 0, methodId: 0 };

  constructor(
    number: number,
    context: ConnectionContext,
    transport: Transport,
    confirmLater: (channel: Channel) => void,
  ) {
    this.number = number;
    this.context = context;
    this.#transport = transport;
    this.#confirmLater = confirmLater;
    const writer = new ContentWriter(transport.writer, number, context.frameBytesMax);
    this.#writer = writer;
    const { vhost, user, endpoints } = context;
    const origin = { connection: endpoints.name, channel: number, user: user.name };
    this.publisher = new Publisher(context, writer, this, origin);
    this.#events = new ChannelEvents(context, number);
    this.deliveries = new Deliveries(transport, writer, {
      deadlines: context.deadlines,
      events: this.#events,
      firehose: vhost.firehose,
      origin,
      consumerCancelled: (tag) => this.#consumerCancelled(tag),
      timedOut: (milliseconds) => transport.guard(() => this.#deliveryTimedOut(milliseconds)),
      unackedMax: context.limits.unackedPerChannelMax,
      heldUp: () => this.#heldUp(),
    });
    this.#events.created();
  }

  get userName(): string {
    return this.context.user.name;
  }

  get mayImpersonate(): boolean {
    return this.context.access.mayImpersonate;
  }

  get replyAddress(): string | undefined {
    return this.replyConsumer?.address;
  }

  /** Takes a frame. Throws what closes the channel or the connection. */
  frame(type: number, buffer: Buffer, start: number, end: number): void {
    const { assembler } = this.publisher;
    switch (type) {
      case FRAME_METHOD:
        if (assembler.awaited !== 'method') throw this.#unexpectedFrame();
        this.#method(buffer, start, end);
        return;
      case FRAME_HEADER:
        if (assembler.awaited !== 'header') throw this.#unexpectedFrame();
        assembler.contentHeader(buffer, start, end);
        this.publisher.checkSize();
        break;
      case FRAME_BODY:
        if (assembler.awaited !== 'body') throw this.#unexpectedFrame();
        assembler.contentBody(buffer, start, end);
        break;
    }
    if (assembler.awaited === 'method') this.#publish();
  }

  /** Sends a method with this turn's output. */
  send<N extends MethodName>(name: N, args: MethodInput<N>): void {
    this.#transport.send(encodeMethodFrame(this.number, name, args));
  }

  /**
   * Sends a method once what the current one has changed is on the disk; until then nothing more
   * is read from the connection, so that whatever comes next waits behind it.
   */
  sendWhenDurable<N extends MethodName>(name: N, args: MethodInput<N>): void {
    const { durability } = this.context;
    durability.tellRemoved();
    const { duplicates } = this.context.vhost.deduplication;
    if (durability.appended === this.#appendedBefore && duplicates === this.#duplicatesBefore) {
      this.send(name, args);
      return;
    }
    this.holdUntil((resume) => {
      durability.onDurable(() => {
        this.#transport.guard(() => {
          if (!this.isClosing) this.send(name, args);
        });
        resume();
      });
    });
  }

  /** Stops reading from the connection until `resume` is called. */
  holdUntil(wait: (resume: () => void) => void): void {
    this.#transport.holdReading(false);
    wait(() => this.#transport.resumeReading());
  }

  /** The same, and then the current method is handled anew: it could not be yet. */
  repeatAfter(wait: (resume: () => void) => void): void {
    this.#transport.holdReading(true);
    wait(() => this.#transport.resumeReading());
  }

  /** Sends the confirms that are due; the rest when the disk has got so far. */
  sendConfirms(): void {
    this.#confirmsDue = false;
    const { confirms } = this.publisher;
    const { durability } = this.context;
    confirms.waitFor(this.#publishedAt);
    if (this.#publishedAt > durability.durable) {
      const answer = (): void => {
        if (!this.isClosing) this.#answer();
      };
      durability.onDurable(() => this.#transport.guard(answer));
    }
    this.#answer();
  }

  #answer(): void {
    const { durable } = this.context.durability;
    for (const { method, deliveryTag, multiple } of this.publisher.confirms.take(durable)) {
      if (method === 'basic.ack') this.send(method, { deliveryTag, multiple });
      else this.send(method, { deliveryTag, multiple, requeue: false });
    }
  }

  /** The method an error is laid to: the one being handled, unless the error is in a frame. */
  blame(error: AmqpError): MethodId {
    const { replyCode, classId } = error;
    const isFrames =
      replyCode === REPLY_CODES.FRAME_ERROR || replyCode === REPLY_CODES.UNEXPECTED_FRAME;
    return classId !== 0 || isFrames ? error : this.#current;
  }

  get currentMethod(): MethodId {
    return this.#current;
  }

  /** Closes the channel because of an error; the peer has to agree before its number is free. */
  fail(error: AmqpError, cause: MethodId = this.blame(error)): void {
    this.sendConfirms();
    this.release();
    const { replyCode, replyText } = error.closeArguments();
    this.send('channel.close', { replyCode, replyText, ...idsOf(cause) });
  }

  /** Ends the consumers, and gives back what was not acknowledged. */
  release(): void {
    this.stopConsuming();
    this.giveBackAll().moveOn();
  }

  /** First half of {@link release}: with several channels going, all stop before any gives back. */
  stopConsuming(): void {
    this.isClosing = true;
    this.publisher.assembler.abandon();
    this.deliveries.cancelAll();
    this.cancelReplies();
    this.#events.closed();
  }

  /** Second half of {@link release}. What was staged in a transaction is undone. */
  giveBackAll(): { moveOn: () => void } {
    const staged = this.publisher.transaction?.take();
    if (staged !== undefined) {
      for (const { message } of staged.publishes) message.release();
      this.deliveries.rollback(staged.settlements);
    }
    return this.deliveries.giveBackAll('failed');
  }

  /** Starts the direct reply-to consumer. */
  consumeReplies(tag: string): void {
    const address = this.context.vhost.replies.open(this);
    this.replyConsumer = { tag, address, prefix: this.#writer.deliverPrefix(tag) };
  }

  cancelReplies(): void {
    if (this.replyConsumer === undefined) return;
    this.context.vhost.replies.close(this.replyConsumer.address);
    this.replyConsumer = undefined;
  }

  deliverReply(message: AmqpMessage): void {
    if (this.replyConsumer === undefined) return;
    this.deliveries.deliverReply(this.replyConsumer.prefix, message);
  }

  #method(buffer: Buffer, start: number, end: number): void {
    const id = buffer.readUInt32BE(start);
    if (id === PUBLISH) {
      this.#current = BASIC_PUBLISH;
      this.publisher.assembler.method(buffer, start, end);
    } else if (id === ACK && end - start === ACK_BYTES) {
      this.#acknowledge(buffer, start);
    } else {
      this.#current = { classId: id >>> 16, methodId: id & 0xffff };
      this.context.durability.tellRemoved();
      this.#appendedBefore = this.context.durability.appended;
      this.#duplicatesBefore = this.context.vhost.deduplication.duplicates;
      dispatch(this, decodeMethod(buffer, start, end));
    }
  }

  /** basic.ack, read in place: with basic.publish the only method that comes by the million. */
  #acknowledge(buffer: Buffer, start: number): void {
    this.#current = BASIC_ACK;
    const high = buffer.readUInt32BE(start + 4);
    const deliveryTag = high * 0x100000000 + buffer.readUInt32BE(start + 8);
    const multiple = (buffer[start + 12]! & 1) !== 0;
    const { transaction } = this.publisher;
    this.deliveries.settle(deliveryTag, multiple, 'acknowledge', transaction);
  }

  #publish(): void {
    const { durability } = this.context;
    const { deduplication } = this.context.vhost;
    const before = durability.appended;
    const duplicates = deduplication.duplicates;
    this.publisher.publish();
    this.publisher.assembler.published();
    if (durability.appended !== before || deduplication.duplicates !== duplicates) {
      this.#publishedAt = durability.appended;
    }
    if (durability.isBehind) this.holdUntil((resume) => durability.onRoom(resume));
    if (!this.publisher.confirms.isEnabled) {
      // A return may have been written.
      if (this.publisher.assembler.mandatory) this.#transport.defer();
      return;
    }
    if (this.#confirmsDue) return;
    this.#confirmsDue = true;
    this.#confirmLater(this);
  }

  #consumerCancelled(consumerTag: string): void {
    if (!this.context.takesConsumerCancel || this.isClosing) return;
    this.send('basic.cancel', { consumerTag, nowait: true });
  }

  /** A delivery has gone too long without an acknowledgement; no method is to blame. */
  #deliveryTimedOut(milliseconds: number): void {
    const text =
      `delivery acknowledgement on channel ${this.number} timed out. ` +
      `Timeout value used: ${milliseconds} ms. ` +
      'This timeout value can be configured, see consumers doc guide to learn more';
    this.context.logger.warn(`channel closed: ${text}`, { channel: this.number });
    this.fail(channelError(REPLY_CODES.PRECONDITION_FAILED, text), { classId: 0, methodId: 0 });
  }

  #heldUp(): void {
    const { unackedPerChannelMax } = this.context.limits;
    this.context.logger.warn(
      `${unackedPerChannelMax} deliveries are unacknowledged: consumers on the channel get nothing ` +
        'more until some are',
      { connection: this.context.endpoints.name, channel: this.number },
    );
  }

  #unexpectedFrame(): Error {
    const { awaited } = this.publisher.assembler;
    if (awaited === 'header') return notAContentHeader();
    const text =
      awaited === 'method'
        ? 'expected method frame, got non method frame instead'
        : 'expected content body, got non content body frame instead';
    const cause = awaited === 'body' ? BASIC_PUBLISH : undefined;
    return connectionError(REPLY_CODES.UNEXPECTED_FRAME, text, cause);
  }
}

const BASIC_ACK: MethodId = { classId: 60, methodId: 80 };

function idsOf({ classId, methodId }: MethodId): MethodId {
  return { classId, methodId };
}
