import {
  AmqpError,
  connectionError,
  DecodeError,
  decodeMethod,
  encodeMethodFrame,
  FRAME_BODY,
  FRAME_HEADER,
  FRAME_HEARTBEAT,
  FRAME_METHOD,
  type FrameFault,
  fromWire,
  MalformedUtf8Error,
  type MethodId,
  REPLY_CODES,
  UnknownMethodError,
} from '@leveret/amqp';
import type { Timer } from '../../base/clock.js';
import type { LogFields } from '../../base/logger.js';
import { Refusal } from '../../core/refusal.js';
import { Channel } from './channel.js';
import { reportConnectionClosed, reportConnectionCreated } from './connection-events.js';
import type { ConnectionContext } from './context.js';
import {
  brokenFrame,
  checkLength,
  formatOctets,
  unexpectedFrame,
  unknownFrame,
} from './frame-error.js';
import { Heartbeat } from './heartbeat.js';
import { peerFields } from './opening/endpoints.js';
import { PublishGate } from './publishing/publish-gate.js';
import { refusalToError } from './replies.js';
import type { Transport, TransportListener } from './transport.js';

const CLOSE_OK: Buffer = encodeMethodFrame(0, 'connection.close-ok', {});

/** What `channel.open` begins with: class and method id. */
const CHANNEL_OPEN = 0x0014_000a;
const CHANNEL_CLOSE = 0x0014_0028;
const CHANNEL_CLOSE_OK = 0x0014_0029;
const CONNECTION_CLOSE = 0x000a_0032;
const CONNECTION_CLOSE_OK = 0x000a_0033;

/**
 * An open connection (0-9-1 §1.4): gives each frame to its channel, opens and closes channels, and
 * answers for everything that goes wrong on them. What one connection does wrong ends there.
 */
export class Connection implements TransportListener {
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #heartbeat: Heartbeat;
  readonly #over: () => void;
  readonly #channels = new Map<number, Channel>();
  /**
   * The channel the last frame was for, which most often the next one is for too. No other may have
   * a part of a message in the chunk that is being read.
   */
  #recent: Channel | undefined;
  readonly #confirming: Channel[] = [];
  /** There as soon as a frame has come during an alarm. */
  #gate: PublishGate | undefined;
  #isClosing = false;
  #closeTimer: Timer | undefined;

  /** `over` is called when the connection has ended and let go of everything. */
  constructor(transport: Transport, context: ConnectionContext, over: () => void) {
    this.#transport = transport;
    this.#context = context;
    this.#over = over;
    reportConnectionCreated(context);
    context.logger.info('connection opened', this.#whose());
    this.#heartbeat = new Heartbeat(context.clock, transport, context.heartbeatSeconds, () => {
      context.logger.warn('missed heartbeats from client', { user: context.user.name });
      transport.destroy();
    });
  }

  /** The user's name. */
  get user(): string {
    return this.#context.user.name;
  }

  /** The name of the virtual host. */
  get vhost(): string {
    return this.#context.vhost.name;
  }

  /** Closes the connection from our side, and waits for the peer to agree. */
  close(error: AmqpError, cause: MethodId = error): void {
    if (this.#isClosing) return;
    this.#sendConfirms();
    this.#isClosing = true;
    this.#release();
    const { replyCode, replyText } = error.closeArguments();
    const { classId, methodId } = cause;
    const args = { replyCode, replyText, classId, methodId };
    this.#transport.send(encodeMethodFrame(0, 'connection.close', args));
    this.#cutLater();
  }

  /** The broker stops: closes the connection, whatever state it may be in. */
  shutDown(error: AmqpError): void {
    this.#transport.guard(() => this.close(error));
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.#transport.destroy();
  }

  frame(type: number, channelNumber: number, buffer: Buffer, start: number, end: number): void {
    try {
      if (this.#isClosing) this.#awaitCloseOk(type, channelNumber, buffer, start, end);
      else if (this.#waits(type, channelNumber, buffer, start, end)) return;
      else if (channelNumber === 0) this.#connectionFrame(type, buffer, start, end);
      else this.#channelFrame(type, channelNumber, buffer, start, end);
    } catch (error) {
      this.#failed(error, channelNumber, buffer, start, end);
    }
  }

  frameFault(fault: FrameFault): void {
    this.close(brokenFrame(fault, this.#context.frameBytesMax));
    // Nothing can be read any more, not even the answer.
    this.#transport.endTurn();
    this.#transport.end();
  }

  letGoOfChunk(): void {
    this.#recent?.publisher.assembler.own();
  }

  endTurn(): void {
    this.#sendConfirms();
  }

  drained(): void {
    for (const channel of this.#channels.values()) channel.deliveries.resumeAll();
  }

  closed(): void {
    this.#heartbeat.stop();
    this.#closeTimer?.cancel();
    this.#gate?.end();
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#release();
    }
    this.#context.admission.leave();
    reportConnectionClosed(this.#context);
    this.#context.logger.info('connection closed', this.#whose());
    this.#over();
  }

  broken(error: unknown): void {
    this.#context.logger.error('internal error', { ...this.#whose(), error });
    this.close(connectionError(REPLY_CODES.INTERNAL_ERROR, ''));
  }

  #whose(): LogFields {
    const { endpoints, mechanism } = this.#context;
    const user = fromWire(this.user);
    const vhost = fromWire(this.vhost);
    const { name: connection, certificate } = endpoints;
    if (certificate === undefined) return { connection, user, vhost, mechanism };
    return { ...peerFields(endpoints), user, vhost, mechanism };
  }

  #sendConfirms(): void {
    for (const channel of this.#confirming) if (!channel.isClosing) channel.sendConfirms();
    this.#confirming.length = 0;
  }

  /** Whether a frame has to wait because the broker is short of something. */
  #waits(type: number, channel: number, buffer: Buffer, start: number, end: number): boolean {
    if (!this.#context.alarms.isRaised) return false;
    this.#gate ??= this.#newGate();
    if (channel !== 0) return this.#gate.holdBack(type, channel, buffer, start, end);
    if (!this.#gate.isHolding || type !== FRAME_METHOD || end - start < 4) return false;
    if (buffer.readUInt32BE(start) !== CONNECTION_CLOSE) return false;
    this.#gate.waitForHeld();
    return true;
  }

  #newGate(): PublishGate {
    const { alarms, limits } = this.#context;
    const channels = this.#channels;
    return new PublishGate(alarms, limits.blockedBytesMax, {
      hasConsumers: () => {
        for (const { deliveries } of channels.values()) if (deliveries.isWanted) return true;
        return false;
      },
      settlesAtOnce: (number) => channels.get(number)?.publisher.transaction === undefined,
      holdReading: (again) => this.#transport.holdReading(again),
      resumeReading: () => this.#transport.resumeReading(),
      frame: (...frame) => this.frame(...frame),
      blocked: (reason) => this.#tellBlocked(reason),
      guard: (action) => this.#transport.guard(action),
    });
  }

  #tellBlocked(reason: string | undefined): void {
    if (this.#isClosing || !this.#context.takesBlocked) return;
    const frame =
      reason === undefined
        ? encodeMethodFrame(0, 'connection.unblocked', {})
        : encodeMethodFrame(0, 'connection.blocked', { reason });
    this.#transport.send(frame);
  }

  /** Ends every channel, then what belonged to the connection alone. */
  #release(): void {
    const channels = [...this.#channels.values()].filter((channel) => !channel.isClosing);
    this.#channels.clear();
    this.#recent = undefined;
    for (const channel of channels) channel.stopConsuming();
    const givenBack = channels.map((channel) => channel.giveBackAll());
    const { vhost, identity } = this.#context;
    vhost.queues.deleteExclusive(identity);
    for (const { moveOn } of givenBack) moveOn();
  }

  #channelFrame(type: number, number: number, buffer: Buffer, start: number, end: number): void {
    let channel = this.#recent;
    if (channel?.number !== number) {
      channel = this.#channels.get(number);
      if (channel === undefined) {
        this.#open(type, number, buffer, start, end);
        return;
      }
      this.letGoOfChunk();
      this.#recent = channel;
    }
    checkLength(type, buffer, start, end);
    if (type === FRAME_METHOD) {
      const id = buffer.readUInt32BE(start);
      if (id >>> 16 === 20 && this.#channelMethod(channel, id)) return;
    } else if (type !== FRAME_HEADER && type !== FRAME_BODY) {
      throw unknownFrame(type, buffer, start, end);
    }
    if (!channel.isClosing) channel.frame(type, buffer, start, end);
  }

  /** Methods about a channel itself; false if the channel has to handle it. */
  #channelMethod(channel: Channel, id: number): boolean {
    if (id === CHANNEL_CLOSE_OK && channel.isClosing) {
      this.#forget(channel);
      return true;
    }
    if (id === CHANNEL_CLOSE && channel.publisher.assembler.awaited === 'method') {
      if (!channel.isClosing) {
        channel.sendConfirms();
        channel.release();
        this.#forget(channel);
      }
      channel.send('channel.close-ok', {});
      return true;
    }
    if (id === CHANNEL_OPEN) {
      const cause = { classId: 20, methodId: 10 };
      throw connectionError(REPLY_CODES.CHANNEL_ERROR, "second 'channel.open' seen", cause);
    }
    return false;
  }

  #forget(channel: Channel): void {
    this.#context.admission.closeChannel();
    this.#channels.delete(channel.number);
    if (this.#recent === channel) this.#recent = undefined;
  }

  /** A frame for a channel that is not open: it has to open it. */
  #open(type: number, number: number, buffer: Buffer, start: number, end: number): void {
    if (type === FRAME_HEADER || type === FRAME_BODY) {
      const text = 'expected method frame, got non method frame instead';
      throw connectionError(REPLY_CODES.UNEXPECTED_FRAME, text);
    }
    if (type !== FRAME_METHOD) throw unknownFrame(type, buffer, start, end);
    checkLength(type, buffer, start, end);
    const method = decodeMethod(buffer, start, end);
    const cause = { classId: buffer.readUInt16BE(start), methodId: buffer.readUInt16BE(start + 2) };
    if (method.name !== 'channel.open') {
      throw connectionError(REPLY_CODES.CHANNEL_ERROR, "expected 'channel.open'", cause);
    }
    const { channelsMax } = this.#context;
    if (this.#channels.size >= channelsMax) {
      const text =
        `number of channels opened (${this.#channels.size}) has reached ` +
        `the negotiated channel_max (${channelsMax})`;
      throw connectionError(REPLY_CODES.NOT_ALLOWED, text);
    }
    this.#context.admission.openChannel();
    const channel = new Channel(number, this.#context, this.#transport, this.#confirmLater);
    this.#channels.set(number, channel);
    channel.send('channel.open-ok', { channelId: '' });
  }

  readonly #confirmLater = (channel: Channel): void => {
    this.#confirming.push(channel);
    this.#transport.defer();
  };

  #connectionFrame(type: number, buffer: Buffer, start: number, end: number): void {
    if (type === FRAME_HEARTBEAT && start === end) return;
    if (type === FRAME_HEADER || type === FRAME_BODY)
      throw unexpectedFrame(type, buffer, start, end);
    if (type !== FRAME_METHOD) throw unknownFrame(type, buffer, start, end);
    checkLength(type, buffer, start, end);
    const method = decodeMethod(buffer, start, end);
    if (method.name === 'connection.close') {
      this.#closedByPeer();
    } else if (method.name === 'connection.update-secret') {
      this.#transport.send(encodeMethodFrame(0, 'connection.update-secret-ok', {}));
    } else {
      const cause = {
        classId: buffer.readUInt16BE(start),
        methodId: buffer.readUInt16BE(start + 2),
      };
      const text = 'unexpected method in connection state running';
      throw connectionError(REPLY_CODES.CHANNEL_ERROR, text, cause);
    }
  }

  #closedByPeer(): void {
    this.#sendConfirms();
    this.#isClosing = true;
    this.#release();
    this.#transport.send(CLOSE_OK);
    this.#transport.end();
    this.#cutLater();
  }

  /** A peer that is done with may still keep its stream open: not for long. */
  #cutLater(): void {
    const { clock, limits } = this.#context;
    this.#closeTimer = clock.after(limits.closeMilliseconds, () => this.#transport.destroy());
  }

  /** We have closed; all that counts is that the peer agrees, or closes at the same time. */
  #awaitCloseOk(type: number, channel: number, buffer: Buffer, start: number, end: number): void {
    if (type !== FRAME_METHOD || channel !== 0 || end - start < 4) return;
    const id = buffer.readUInt32BE(start);
    if (id === CONNECTION_CLOSE) {
      this.#transport.send(CLOSE_OK);
    } else if (id === CONNECTION_CLOSE_OK) {
      this.#transport.end();
    }
  }

  /** What went wrong while a frame was handled, in the protocol's terms. */
  #failed(error: unknown, number: number, buffer: Buffer, start: number, end: number): void {
    const channel = this.#channels.get(number);
    if (error instanceof UnknownMethodError) {
      // As RabbitMQ: nothing is said to a peer that speaks some other language.
      this.#transport.destroy();
      return;
    }
    const answer = this.#answerTo(error, channel, buffer, start, end);
    if (answer.scope === 'channel' && channel !== undefined) {
      this.#context.logger.warn(`channel closed: ${answer.replyText}`, { channel: number });
      channel.fail(answer);
    } else {
      this.#context.logger.warn(`connection closed: ${answer.replyText}`);
      this.close(answer, channel?.blame(answer));
    }
  }

  #answerTo(
    error: unknown,
    channel: Channel | undefined,
    buffer: Buffer,
    start: number,
    end: number,
  ): AmqpError {
    if (error instanceof AmqpError) return error;
    if (error instanceof Refusal) return refusalToError(error, channel?.currentMethod);
    if (error instanceof MalformedUtf8Error) {
      return connectionError(REPLY_CODES.FRAME_ERROR, 'Malformed UTF-8 in shortstr');
    }
    if (error instanceof DecodeError) {
      const fields = buffer.subarray(Math.min(start + 4, end), end);
      const text = `cannot decode ${formatOctets(fields)}`;
      return connectionError(REPLY_CODES.FRAME_ERROR, text, channel?.currentMethod);
    }
    // A bug of ours: this connection is the smallest thing that owns whatever is broken.
    this.#context.logger.error('internal error', {
      ...this.#whose(),
      ...(channel && { channel: channel.number, ...channel.currentMethod }),
      error,
    });
    return connectionError(REPLY_CODES.INTERNAL_ERROR, '');
  }
}
