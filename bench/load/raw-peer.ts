import { connect as connectSocket, type Socket } from 'node:net';
import {
  decodeMethod,
  encodeMethodFrame,
  type FieldTable,
  type MethodArguments,
  type MethodInput,
  type MethodName,
  PROTOCOL_HEADER,
} from '@leveret/amqp';
import { FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES } from './frame-scanner.js';

const FRAME_MAX = 131_072;

/**
 * All connections read into it, one after the other: memory for each read would cost the generator
 * more than looking at what came.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(262_144);

const NO_ARGUMENTS: FieldTable = new Map();

const TUNE_OK: Buffer = encodeMethodFrame(0, 'connection.tune-ok', {
  channelMax: 2_047,
  frameMax: FRAME_MAX,
  heartbeat: 0,
});
const CHANNEL_OPEN: Buffer = encodeMethodFrame(1, 'channel.open', { outOfBand: '' });
const CLOSE: Buffer = encodeMethodFrame(0, 'connection.close', {
  replyCode: 200,
  replyText: 'bye',
  classId: 0,
  methodId: 0,
});

/** A binding of a queue. */
export interface QueueBinding {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly table?: FieldTable;
}

/** What a peer is reached with. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly virtualHost: string;
}

/** Reads `amqp://user:password@host:port/vhost`. */
export function targetOf(url: string): Target {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port === '' ? 5672 : port),
    user: decodeURIComponent(username === '' ? 'guest' : username),
    password: decodeURIComponent(password === '' ? 'guest' : password),
    virtualHost: pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : '/',
  };
}

/**
 * One raw connection with channel 1 open: requests and answers for setting up, octets for the rest.
 * It costs next to nothing, so that it is the broker that is measured.
 */
export class RawPeer {
  readonly socket: Socket;
  #buffered: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #take: (chunk: Buffer) => void = (chunk) => this.#gather(chunk);

  private constructor({ host, port }: Target) {
    const callback = (bytes: number): boolean => {
      this.#take(READ_BUFFER.subarray(0, bytes));
      return true;
    };
    const onread = { buffer: READ_BUFFER, callback };
    this.socket = connectSocket({ host, port, noDelay: true, onread });
  }

  /** `onFailure` hears of a connection that broke. */
  static async open(target: Target, onFailure: (error: Error) => void): Promise<RawPeer> {
    const peer = new RawPeer(target);
    const { socket } = peer;
    socket.on('error', onFailure);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write(PROTOCOL_HEADER);
    await peer.expect('connection.start');
    peer.send(0, 'connection.start-ok', {
      clientProperties: new Map(),
      mechanism: 'PLAIN',
      response: `\0${target.user}\0${target.password}`,
      locale: 'en_US',
    });
    await peer.expect('connection.tune');
    const { virtualHost } = target;
    const opening = { virtualHost, capabilities: '', insist: false };
    socket.write(Buffer.concat([TUNE_OK, encodeMethodFrame(0, 'connection.open', opening)]));
    await peer.expect('connection.open-ok');
    socket.write(CHANNEL_OPEN);
    await peer.expect('channel.open-ok');
    return peer;
  }

  send<N extends MethodName>(channel: number, name: N, args: MethodInput<N>): void {
    this.socket.write(encodeMethodFrame(channel, name, args));
  }

  /** Sends a method on channel 1 and waits for its answer. */
  request<N extends MethodName, A extends MethodName>(
    name: N,
    args: MethodInput<N>,
    answer: A,
  ): Promise<MethodArguments<A>> {
    this.send(1, name, args);
    return this.expect(answer);
  }

  async expect<A extends MethodName>(name: A): Promise<MethodArguments<A>> {
    const frame = await this.#nextFrame();
    const method = decodeMethod(frame, FRAME_HEADER_BYTES, frame.length - 1);
    if (method.name !== name) {
      throw new Error(`expected ${name}, got ${method.name} ${JSON.stringify(method.args)}`);
    }
    // Which arguments it has goes by its name.
    return method.args as MethodArguments<A>;
  }

  /** Sends requests one behind the other, and waits for the answers. */
  async requestEach<N extends MethodName>(
    name: N,
    all: readonly MethodInput<N>[],
    answer: MethodName,
  ): Promise<void> {
    for (const args of all) this.send(1, name, args);
    for (const _ of all) await this.expect(answer);
  }

  declareQueue(queue: string, durable = false): Promise<void> {
    return this.declareQueues([queue], durable);
  }

  async declareQueues(queues: readonly string[], durable = false): Promise<void> {
    const flags = { passive: false, durable, exclusive: false, autoDelete: false };
    const rest = { ...flags, nowait: false, arguments: new Map() };
    const all = queues.map((queue) => ({ queue, ...rest }));
    await this.requestEach('queue.declare', all, 'queue.declare-ok');
  }

  /** How many messages are ready in a queue. */
  async countReady(queue: string): Promise<number> {
    const flags = { durable: false, exclusive: false, autoDelete: false };
    const args = { queue, passive: true, ...flags, nowait: false, arguments: new Map() };
    return (await this.request('queue.declare', args, 'queue.declare-ok')).messageCount;
  }

  deleteQueue(queue: string): Promise<void> {
    return this.deleteQueues([queue]);
  }

  async deleteQueues(queues: readonly string[]): Promise<void> {
    const flags = { ifUnused: false, ifEmpty: false, nowait: false };
    const all = queues.map((queue) => ({ queue, ...flags }));
    await this.requestEach('queue.delete', all, 'queue.delete-ok');
  }

  async declareExchange(exchange: string, type: string): Promise<void> {
    const flags = { passive: false, durable: false, autoDelete: false, internal: false };
    const args = { exchange, type, ...flags, nowait: false, arguments: new Map() };
    await this.request('exchange.declare', args, 'exchange.declare-ok');
  }

  async deleteExchange(exchange: string): Promise<void> {
    const args = { exchange, ifUnused: false, nowait: false };
    await this.request('exchange.delete', args, 'exchange.delete-ok');
  }

  bind(queue: string, exchange: string, routingKey: string): Promise<void> {
    return this.bindEach([{ queue, exchange, routingKey }]);
  }

  async bindEach(bindings: readonly QueueBinding[]): Promise<void> {
    const all = bindings.map(({ table = NO_ARGUMENTS, ...binding }) => {
      return { ...binding, nowait: false, arguments: table };
    });
    await this.requestEach('queue.bind', all, 'queue.bind-ok');
  }

  /** For the consumers started from now on; 0: no limit. */
  async limitPrefetch(prefetchCount: number): Promise<void> {
    const qos = { prefetchSize: 0, prefetchCount, global: false };
    await this.request('basic.qos', qos, 'basic.qos-ok');
  }

  /** Does not wait for the answer: deliveries may come before it. */
  startConsumer(queue: string, consumerTag: string, noAck: boolean): void {
    const flags = { noLocal: false, noAck, exclusive: false, nowait: true };
    this.send(1, 'basic.consume', { queue, consumerTag, ...flags, arguments: new Map() });
  }

  /** Consumes from one queue; deliveries may come before the answer is seen. */
  async consume(queue: string, noAck: boolean, prefetchCount: number): Promise<void> {
    await this.limitPrefetch(prefetchCount);
    const flags = { noLocal: false, noAck, exclusive: false, nowait: false };
    const args = { queue, consumerTag: 'c', ...flags, arguments: new Map() };
    await this.request('basic.consume', args, 'basic.consume-ok');
  }

  /**
   * From now on everything that comes goes to `take`, as it comes. The octets are good until it
   * returns.
   */
  stream(take: (chunk: Buffer) => void): void {
    this.#take = take;
    if (this.#buffered.length > 0) take(this.#buffered);
  }

  /** Closes the connection as the protocol has it. */
  async closePolitely(): Promise<void> {
    this.sendClose();
    await this.expect('connection.close-ok');
    this.socket.destroy();
  }

  sendClose(): void {
    this.socket.write(CLOSE);
  }

  #gather(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    this.#wake?.();
  }

  async #nextFrame(): Promise<Buffer> {
    for (;;) {
      const buffered = this.#buffered;
      if (buffered.length >= FRAME_HEADER_BYTES) {
        const bytes = FRAME_OVERHEAD_BYTES + buffered.readUInt32BE(3);
        if (buffered.length >= bytes) {
          this.#buffered = buffered.subarray(bytes);
          return buffered.subarray(0, bytes);
        }
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
