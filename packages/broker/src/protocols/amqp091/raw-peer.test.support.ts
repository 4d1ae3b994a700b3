import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  type BasicProperties,
  type DecodedMethod,
  decodeMethod,
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  FRAME_METHOD,
  FrameReader,
  type MethodArguments,
  type MethodInput,
  type MethodName,
  PROTOCOL_HEADER,
  toFieldTable,
} from '@leveret/amqp';

/** A frame as it came. */
export interface PeerFrame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** What a peer tunes a connection to, and the virtual host that it opens. */
export interface Tuning {
  readonly virtualHost?: string;
  readonly channelMax?: number;
  readonly frameMax?: number;
  readonly heartbeat?: number;
  readonly clientProperties?: Record<string, unknown>;
}

/** A message as its publisher sends it. */
export interface Publish {
  readonly channel: number;
  readonly exchange?: string;
  readonly routingKey: string;
  readonly mandatory?: boolean;
  readonly properties?: BasicProperties;
  readonly body: Buffer;
}

/** The frames of a publish, its body cut for a frame-max of 4096. */
export function publishFrames(publish: Publish): Buffer {
  const { channel, exchange = '', routingKey, mandatory = false, properties = {}, body } = publish;
  const args = { exchange, routingKey, mandatory, immediate: false };
  return Buffer.concat([
    encodeMethodFrame(channel, 'basic.publish', args),
    encodeContentHeaderFrame(channel, body.length, properties),
    ...encodeBodyFrames(channel, body, 4_096),
  ]);
}

/** The other end of a broker's stream: writes frames, and reads them one after the other. */
export class RawPeer {
  readonly duplex: Duplex;
  /** Called with each frame as it comes, while the octets are being received. */
  onFrame: ((frame: PeerFrame) => void) | undefined;
  /** Settled when the stream has closed, for whatever reason. */
  readonly closed: Promise<unknown>;
  /** Octets received. */
  received = 0;
  readonly #frames: PeerFrame[] = [];
  #waiting: (() => void) | undefined;
  #isClosed = false;

  constructor(duplex: Duplex) {
    this.duplex = duplex;
    const reader = new FrameReader(
      {
        frame: (type, channel, buffer, start, end) =>
          this.#take({ type, channel, payload: Buffer.from(buffer.subarray(start, end)) }),
        frameFault: (fault) => duplex.destroy(new Error(`broken frame: ${fault.kind}`)),
      },
      2 ** 32,
    );
    duplex.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      reader.push(chunk);
    });
    duplex.on('end', () => duplex.end());
    this.closed = once(duplex, 'close').then(() => {
      this.#isClosed = true;
      this.#waiting?.();
    });
  }

  /** The next frame; rejects if the stream closes instead. */
  async next(): Promise<PeerFrame> {
    while (this.#frames.length === 0) {
      assert.ok(!this.#isClosed, 'the stream closed while a frame was awaited');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#frames.shift()!;
  }

  /** The next frame, which has to be that method; its arguments. */
  async expect<N extends MethodName>(name: N): Promise<MethodArguments<N>> {
    const { type, payload } = await this.next();
    assert.equal(type, FRAME_METHOD, `a method frame for ${name}`);
    const method: DecodedMethod = decodeMethod(payload, 0, payload.length);
    assert.equal(method.name, name, JSON.stringify(method));
    // The name was just compared.
    return method.args as MethodArguments<N>;
  }

  send<N extends MethodName>(channel: number, name: N, args: MethodInput<N>): void {
    this.duplex.write(encodeMethodFrame(channel, name, args));
  }

  /** From the first octet to connection.open-ok. */
  async handshake(tuning: Tuning = {}): Promise<void> {
    const { virtualHost = '/', channelMax = 100, frameMax = 4_096, heartbeat = 0 } = tuning;
    this.duplex.write(PROTOCOL_HEADER);
    await this.expect('connection.start');
    this.login('guest', tuning.clientProperties);
    await this.expect('connection.tune');
    this.send(0, 'connection.tune-ok', { channelMax, frameMax, heartbeat });
    this.send(0, 'connection.open', { virtualHost, capabilities: '', insist: false });
    await this.expect('connection.open-ok');
  }

  /** Closes the connection as a client does. */
  async close(): Promise<void> {
    this.send(0, 'connection.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 });
    await this.expect('connection.close-ok');
    await this.closed;
  }

  /** Agrees when the broker closes the connection; what it says of the reason. */
  async agreeToClose(): Promise<MethodArguments<'connection.close'>> {
    const args = await this.expect('connection.close');
    this.send(0, 'connection.close-ok', {});
    await this.closed;
    return args;
  }

  login(password = 'guest', clientProperties: Record<string, unknown> = {}): void {
    this.send(0, 'connection.start-ok', {
      clientProperties: toFieldTable(clientProperties),
      mechanism: 'PLAIN',
      response: `\0guest\0${password}`,
      locale: 'en_US',
    });
  }

  async openChannel(channel: number): Promise<void> {
    this.send(channel, 'channel.open', { outOfBand: '' });
    await this.expect('channel.open-ok');
  }

  async declareQueue(channel: number, queue: string): Promise<void> {
    this.sendDeclare(channel, queue, false);
    await this.expect('queue.declare-ok');
  }

  sendDeclare(channel: number, queue: string, passive: boolean): void {
    this.send(channel, 'queue.declare', {
      queue,
      passive,
      durable: false,
      exclusive: false,
      autoDelete: false,
      nowait: false,
      arguments: new Map(),
    });
  }

  async consume(channel: number, queue: string, noAck: boolean): Promise<void> {
    this.send(channel, 'basic.consume', {
      queue,
      consumerTag: `consumer of ${queue}`,
      noLocal: false,
      noAck,
      exclusive: false,
      nowait: false,
      arguments: new Map(),
    });
    await this.expect('basic.consume-ok');
  }

  #take(frame: PeerFrame): void {
    if (this.onFrame !== undefined) {
      this.onFrame(frame);
      return;
    }
    this.#frames.push(frame);
    this.#waiting?.();
  }
}
