import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeFrame, type Frame, frameEnd, frameType, protocolHeader } from './frame.js';
import {
  decodeMethod,
  decodeProperties,
  encodeContentHeader,
  encodeMethod,
  type Method,
  methodInfo,
  type WireArguments,
} from './wire-codec.js';

/** How long anything expected may take. A deadline, not a measure: it only ends a failed test. */
const deadlineMilliseconds = 15_000;

/** A channel or connection exception, as close tells of it. */
export interface ExpectedClose {
  readonly scope: 'channel' | 'connection';
  readonly code: number;
  /** What follows `NAME_OF_THE_CODE - ` in the reply text; empty when that is the name alone. */
  readonly text: string | RegExp;
  /** The method that caused it; null when there is none (both ids are 0). */
  readonly method: string | null;
}

export function channelClose(
  code: number,
  text: string | RegExp,
  method: string | null,
): ExpectedClose {
  return { scope: 'channel', code, text, method };
}

export function connectionClose(
  code: number,
  text: string | RegExp,
  method: string | null = null,
): ExpectedClose {
  return { scope: 'connection', code, text, method };
}

/** The names reply texts begin with (0-9-1 §1.2, in RabbitMQ's spelling). */
const replyNames: Readonly<Record<number, string>> = {
  311: 'CONTENT_TOO_LARGE',
  313: 'NO_CONSUMERS',
  320: 'CONNECTION_FORCED',
  402: 'INVALID_PATH',
  403: 'ACCESS_REFUSED',
  404: 'NOT_FOUND',
  405: 'RESOURCE_LOCKED',
  406: 'PRECONDITION_FAILED',
  501: 'FRAME_ERROR',
  502: 'SYNTAX_ERROR',
  503: 'COMMAND_INVALID',
  504: 'CHANNEL_ERROR',
  505: 'UNEXPECTED_FRAME',
  506: 'RESOURCE_ERROR',
  530: 'NOT_ALLOWED',
  540: 'NOT_IMPLEMENTED',
  541: 'INTERNAL_ERROR',
};

/** A message as it came: a method that carries content, its header and its body. */
export interface Content extends Method {
  /** The payload of the content header frame. */
  readonly header: Buffer;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  /** The payload sizes of the body frames, in order. */
  readonly bodyFrameSizes: readonly number[];
}

export interface HandshakeOptions {
  /** Default `guest`, from the URL. */
  readonly user?: string;
  readonly password?: string;
  /** Default `/`. */
  readonly vhost?: string;
  readonly clientProperties?: Readonly<Record<string, unknown>>;
  /** Default the broker's, as for the two below. */
  readonly channelMax?: number;
  readonly frameMax?: number;
  /** Default 0: none, so that no test sees a heartbeat it did not ask for. */
  readonly heartbeatSeconds?: number;
}

/** What a well-behaved client asserts; tests that are about a capability assert their own. */
const usualClientProperties = {
  product: 'raw connection',
  capabilities: {
    authentication_failure_close: true,
    'basic.nack': true,
    'connection.blocked': true,
    consumer_cancel_notify: true,
    publisher_confirms: true,
  },
};

/**
 * A socket that speaks AMQP as well or as badly as a test wants. What comes in is read in order and
 * strictly: an `expect...` fails on anything but what it names.
 */
export class RawConnection {
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #available = 0;
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#available += chunk.length;
      this.#wake();
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
    // A reset is one of the ways a broker hangs up: 'close' follows, and the expectations see it.
    socket.on('error', () => {});
  }

  /** Connects the socket and sends nothing. */
  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const connection = new RawConnection(socket);
      socket.once('connect', () => resolve(connection));
      socket.once('error', reject);
    });
  }

  /** Connects and goes through the handshake up to connection.open-ok. */
  static async handshake(port: number, options: HandshakeOptions = {}): Promise<RawConnection> {
    const connection = await RawConnection.open(port);
    await connection.authenticate(options);
    await connection.openVhost(options);
    return connection;
  }

  /** From the protocol header to connection.start-ok. Returns connection.start. */
  async start(options: HandshakeOptions = {}): Promise<Method> {
    this.send(protocolHeader);
    const start = await this.expectMethod('connection.start', 0);
    this.sendMethod(0, 'connection.start-ok', {
      clientProperties: options.clientProperties ?? usualClientProperties,
      mechanism: 'PLAIN',
      response: `\0${options.user ?? 'guest'}\0${options.password ?? 'guest'}`,
      locale: 'en_US',
    });
    return start;
  }

  /** From the protocol header to connection.tune, which it returns. */
  async authenticate(options: HandshakeOptions = {}): Promise<Method> {
    await this.start(options);
    return this.expectMethod('connection.tune', 0);
  }

  /** connection.tune-ok and connection.open, up to connection.open-ok. */
  async openVhost(options: HandshakeOptions = {}): Promise<void> {
    this.sendMethod(0, 'connection.tune-ok', {
      channelMax: options.channelMax ?? 2047,
      frameMax: options.frameMax ?? 131072,
      heartbeat: options.heartbeatSeconds ?? 0,
    });
    this.sendMethod(0, 'connection.open', { virtualHost: options.vhost ?? '/' });
    await this.expectMethod('connection.open-ok', 0);
  }

  async openChannel(channel: number): Promise<void> {
    await this.call(channel, 'channel.open');
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  sendMethod(channel: number, name: string, args: WireArguments = {}): void {
    this.send(encodeFrame(frameType.method, channel, encodeMethod(name, args)));
  }

  /** Sends a method and awaits its `-ok`, which it returns. */
  async call(channel: number, name: string, args: WireArguments = {}): Promise<Method> {
    this.sendMethod(channel, name, args);
    return this.expectMethod(`${name}-ok`, channel);
  }

  /** basic.publish with its content, the body in frames of at most `frameMax` bytes. */
  publish(
    channel: number,
    args: WireArguments,
    body: Uint8Array | string = '',
    properties: WireArguments = {},
    frameMax = 131072,
  ): void {
    const bytes = Buffer.from(body as string); // Buffer.from takes both, its overloads do not
    this.sendMethod(channel, 'basic.publish', args);
    this.send(
      encodeFrame(frameType.header, channel, encodeContentHeader(bytes.length, properties)),
    );
    for (let offset = 0; offset < bytes.length; offset += frameMax - 8) {
      this.send(
        encodeFrame(frameType.body, channel, bytes.subarray(offset, offset + frameMax - 8)),
      );
    }
  }

  /** The next frame, of whatever type. */
  async nextFrame(): Promise<Frame> {
    const head = await this.take(7, 'a frame');
    const payload = await this.take(head.readUInt32BE(3), 'the payload of a frame');
    const end = await this.take(1, 'the end of a frame');
    assert.equal(end[0], frameEnd, 'frame end');
    return { type: head.readUInt8(0), channel: head.readUInt16BE(1), payload };
  }

  /** The next method, passing over heartbeats. */
  async nextMethod(): Promise<Method> {
    const frame = await this.nextFrame();
    if (frame.type === frameType.heartbeat) return this.nextMethod();
    assert.equal(frame.type, frameType.method, 'a method frame');
    return decodeMethod(frame.channel, frame.payload);
  }

  async expectMethod(name: string, channel: number): Promise<Method> {
    return expectName(await this.nextMethod(), name, channel);
  }

  /** A method with content: basic.deliver, basic.get-ok or basic.return. */
  async expectContent(name: string, channel: number): Promise<Content> {
    return this.contentOf(await this.nextMethod(), name, channel);
  }

  /** The content behind a method that was read already, which has to be the one named. */
  async contentOf(method: Method, name: string, channel: number): Promise<Content> {
    expectName(method, name, channel);
    const { type, payload: header, channel: headerChannel } = await this.nextFrame();
    assert.deepEqual([type, headerChannel], [frameType.header, channel], 'a content header frame');
    const bodyBytes = Number(header.readBigUInt64BE(4));
    const pieces: Buffer[] = [];
    for (let received = 0; received < bodyBytes; ) {
      const frame = await this.nextFrame();
      assert.deepEqual([frame.type, frame.channel], [frameType.body, channel], 'a body frame');
      pieces.push(frame.payload);
      received += frame.payload.length;
    }
    const body = Buffer.concat(pieces);
    assert.equal(body.length, bodyBytes, 'a body as long as announced');
    const bodyFrameSizes = pieces.map((piece) => piece.length);
    return { ...method, header, properties: decodeProperties(header), body, bodyFrameSizes };
  }

  /**
   * Expects channel.close or connection.close, answers it, and in the latter case the socket's end.
   */
  async expectClose(channel: number, expected: ExpectedClose): Promise<void> {
    const onChannel = expected.scope === 'channel' ? channel : 0;
    const method = await this.nextMethod();
    const { replyCode, replyText, classId, methodId } = method.args;
    const cause = expected.method === null ? undefined : methodInfo(expected.method);
    assert.deepEqual(
      { close: method.name, replyCode, replyText, classId, methodId, channel: method.channel },
      {
        close: `${expected.scope}.close`,
        replyCode: expected.code,
        replyText: matching(replyNames[expected.code], expected.text, replyText),
        classId: cause?.classId ?? 0,
        methodId: cause?.methodId ?? 0,
        channel: onChannel,
      },
    );
    this.sendMethod(onChannel, `${expected.scope}.close-ok`);
    if (expected.scope === 'connection') await this.expectEnd();
  }

  /** Expects the socket to be closed, with nothing sent before. */
  async expectEnd(): Promise<void> {
    await this.#until(() => this.#ended || this.#available > 0, 'the end of the socket');
    assert.equal(this.#available, 0, `nothing before the end, got ${this.#describeInput()}`);
  }

  /** basic.get: a message, or undefined when the queue is empty. Acknowledged unless told. */
  async get(channel: number, queue: string, noAck = true): Promise<Content | undefined> {
    this.sendMethod(channel, 'basic.get', { queue, noAck });
    const answer = await this.nextMethod();
    if (answer.name === 'basic.get-empty') return undefined;
    return this.contentOf(answer, 'basic.get-ok', channel);
  }

  /** The bodies of all that a queue holds, as text, taken from it. */
  async drain(channel: number, queue: string): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const message = await this.get(channel, queue);
      if (!message) return bodies;
      bodies.push(message.body.toString());
    }
  }

  /** Expects that nothing came before the answer to a round trip. */
  async expectNothing(channel: number): Promise<void> {
    await this.call(channel, 'channel.flow', { active: true });
  }

  /**
   * Polls until a queue counts so many ready messages. RabbitMQ's queues answer a declaration ahead
   * of the publishes that came before it; basic.get, in contrast, waits its turn.
   */
  async untilReady(channel: number, queue: string, messageCount: number): Promise<void> {
    const giveUp = Date.now() + deadlineMilliseconds;
    for (;;) {
      const { args } = await this.call(channel, 'queue.declare', { queue, passive: true });
      if (args.messageCount === messageCount) return;
      if (Date.now() > giveUp) assert.equal(args.messageCount, messageCount, queue);
      await delay(10);
    }
  }

  /** connection.close and its answer; it is then the client's turn to end the socket. */
  async close(): Promise<void> {
    await this.call(0, 'connection.close', { replyCode: 200, replyText: 'done' });
    this.destroy();
  }

  /** Stops or resumes reading from the socket. */
  pause(paused: boolean): void {
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Ends the socket without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** The next `length` bytes, framed or not. */
  async take(length: number, what: string): Promise<Buffer> {
    await this.#until(() => this.#available >= length || this.#ended, what);
    if (this.#available < length) {
      throw new Error(`expected ${what}, got ${this.#describeInput()} and the socket's end`);
    }
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#available -= length;
    this.#chunks = this.#available === 0 ? [] : [bytes.subarray(length)];
    return bytes.subarray(0, length);
  }

  async #until(condition: () => boolean, what: string): Promise<void> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#wake();
    }, deadlineMilliseconds);
    try {
      while (!condition()) {
        if (expired) throw new Error(`no ${what} in time, got ${this.#describeInput()}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #describeInput(): string {
    if (this.#available === 0) return 'nothing';
    const shown = Buffer.concat(this.#chunks).toString('latin1', 0, 200);
    return `${this.#available} bytes: ${JSON.stringify(shown)}`;
  }
}

/** The text itself where it matches, so that a comparison of whole objects shows both. */
function matching(name: string | undefined, expected: string | RegExp, actual: unknown): unknown {
  const prefix = expected === '' ? `${name}` : `${name} - `;
  if (typeof expected === 'string') return prefix + expected;
  const matches =
    typeof actual === 'string' &&
    actual.startsWith(prefix) &&
    expected.test(actual.slice(prefix.length));
  return matches ? actual : `${prefix}${expected}`;
}

function expectName(method: Method, name: string, channel: number): Method {
  const text = method.args.replyText;
  const got = `${method.name}${text === undefined ? '' : ` "${String(text)}"`}`;
  const expected = text !== undefined && method.name === name ? got : name;
  assert.equal(`${got} on ${method.channel}`, `${expected} on ${channel}`);
  return method;
}
