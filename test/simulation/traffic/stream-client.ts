import type { Duplex } from 'node:stream';
import { encodeFrame, frameType, protocolHeader } from '../../wire/frame.js';
import {
  decodeMethod,
  decodeProperties,
  encodeContentHeader,
  encodeMethod,
  type Method,
  type WireArguments,
} from '../../wire/wire-codec.js';

const FRAME_BODY_MAX = 131_064;
const FRAME_OVERHEAD = 8;
const NO_HEADER = Buffer.alloc(0);

/** A message as it came, with the method that brought it. */
export interface Received {
  readonly method: Method;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** What a client is told that it did not ask for. */
export interface StreamClientEvents {
  /** basic.deliver. */
  readonly onDelivery: (delivery: Received) => void;
  /** basic.ack from the broker: every publish up to this number is confirmed. */
  readonly onConfirm: (deliveryTag: number, multiple: boolean) => void;
  /** basic.nack from the broker: it would not take this publish, or any up to it. */
  readonly onRefusal: (deliveryTag: number, multiple: boolean) => void;
}

/** What a client is told of that nobody asked for. */
export const UNHEARD: StreamClientEvents = {
  onDelivery: () => {},
  onConfirm: () => {},
  onRefusal: () => {},
};

/**
 * A client with one channel on any stream: requests are answered in order, deliveries and confirms
 * are told as they come. Once {@link cut}, it hears nothing any more, not even what has arrived.
 */
export class StreamClient {
  readonly #stream: Duplex;
  readonly #events: StreamClientEvents;
  #input: Buffer = Buffer.alloc(0);
  #answers: { resolve: (answer: Received) => void; reject: (error: Error) => void }[] = [];
  #content: { readonly method: Method; header: Buffer; pieces: Buffer[] } | undefined;
  #isCut = false;
  /** Resolves when the stream is over, and all that came by it has been read. */
  readonly ended: Promise<void>;
  /** Why the broker has closed the channel or the connection, if it has. */
  closed: string | undefined;

  private constructor(stream: Duplex, events: StreamClientEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', () => this.#end('the stream has failed'));
    this.ended = new Promise((resolve) => {
      stream.on('close', () => {
        this.#end('the stream has ended');
        resolve();
      });
    });
  }

  /** Connects to the broker at the other end, and opens channel 1. */
  static async connect(stream: Duplex, events: StreamClientEvents): Promise<StreamClient> {
    const client = new StreamClient(stream, events);
    const started = client.#nextAnswer();
    stream.write(protocolHeader);
    await started;
    const credentials = { mechanism: 'PLAIN', response: '\0guest\0guest', locale: 'en_US' };
    const capabilities = { consumer_cancel_notify: true, publisher_confirms: true };
    const clientProperties = { capabilities };
    await client.#ask(0, 'connection.start-ok', { ...credentials, clientProperties });
    client.#send(0, 'connection.tune-ok', { channelMax: 10, frameMax: 131_072, heartbeat: 0 });
    await client.#ask(0, 'connection.open', { virtualHost: '/' });
    await client.#ask(1, 'channel.open', {});
    return client;
  }

  /** Sends a method and waits for its answer. */
  call(name: string, args: WireArguments = {}): Promise<Received> {
    return this.#ask(1, name, args);
  }

  /** Sends a method that has no answer. */
  send(name: string, args: WireArguments = {}): void {
    this.#send(1, name, args);
  }

  /** Sends basic.publish with its content. */
  publish(args: WireArguments, body: Uint8Array, properties: WireArguments): void {
    if (this.#isCut) return;
    const frames = [
      encodeFrame(frameType.method, 1, encodeMethod('basic.publish', args)),
      encodeFrame(frameType.header, 1, encodeContentHeader(body.length, properties)),
    ];
    for (let at = 0; at < body.length; at += FRAME_BODY_MAX) {
      frames.push(encodeFrame(frameType.body, 1, body.subarray(at, at + FRAME_BODY_MAX)));
    }
    this.#stream.write(Buffer.concat(frames));
  }

  /** Waits until the broker has handled everything sent so far. */
  async roundTrip(): Promise<void> {
    await this.call('channel.flow', { active: true });
  }

  /** The plug is pulled: nothing is heard or said any more, nobody gets an answer. */
  cut(): void {
    this.#isCut = true;
    this.#stream.destroy();
    this.#end('cut');
  }

  #ask(channel: number, name: string, args: WireArguments): Promise<Received> {
    const answer = this.#nextAnswer();
    this.#send(channel, name, args);
    return answer;
  }

  #nextAnswer(): Promise<Received> {
    if (this.closed !== undefined) return Promise.reject(new ClosedError(this.closed));
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }));
  }

  #send(channel: number, name: string, args: WireArguments): void {
    if (this.#isCut) return;
    this.#stream.write(encodeFrame(frameType.method, channel, encodeMethod(name, args)));
  }

  #receive(chunk: Buffer): void {
    if (this.#isCut) return;
    const input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    let at = 0;
    while (input.length - at >= FRAME_OVERHEAD && !this.#isCut) {
      const bytes = input.readUInt32BE(at + 3);
      if (input.length - at < bytes + FRAME_OVERHEAD) break;
      const payload = Buffer.from(input.subarray(at + 7, at + 7 + bytes));
      this.#frame(input[at]!, input.readUInt16BE(at + 1), payload);
      at += bytes + FRAME_OVERHEAD;
    }
    this.#input = input.subarray(at);
  }

  #frame(type: number, channel: number, payload: Buffer): void {
    if (type === frameType.method) {
      this.#method(decodeMethod(channel, payload));
      return;
    }
    const content = this.#content;
    if (content === undefined) return;
    if (type === frameType.header) content.header = payload;
    else content.pieces.push(payload);
    const body = Buffer.concat(content.pieces);
    if (body.length < Number(content.header.readBigUInt64BE(4))) return;
    this.#content = undefined;
    const { method, header } = content;
    const received = { method, properties: decodeProperties(header), body };
    if (method.name === 'basic.deliver') this.#events.onDelivery(received);
    else this.#answer(received);
  }

  #method(method: Method): void {
    const { args } = method;
    switch (method.name) {
      case 'basic.deliver':
      case 'basic.get-ok':
        this.#content = { method, header: NO_HEADER, pieces: [] };
        return;
      case 'basic.ack':
        this.#events.onConfirm(Number(args.deliveryTag), args.multiple === true);
        return;
      case 'basic.nack':
        this.#events.onRefusal(Number(args.deliveryTag), args.multiple === true);
        return;
      case 'basic.cancel':
        return;
      case 'channel.close':
      case 'connection.close':
        this.#end(`${method.name}: ${String(args.replyText)}`);
        return;
      default:
        this.#answer({ method, properties: {}, body: Buffer.alloc(0) });
    }
  }

  #answer(answer: Received): void {
    this.#answers.shift()?.resolve(answer);
  }

  #end(reason: string): void {
    this.closed ??= reason;
    const waiting = this.#answers;
    this.#answers = [];
    for (const { reject } of waiting) reject(new ClosedError(this.closed));
  }
}

/** Nobody will answer: the broker has closed, or the plug was pulled. */
export class ClosedError extends Error {
  override name = 'ClosedError';
}
