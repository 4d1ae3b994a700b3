import { connect, type Socket } from 'node:net';
import { FrameReader } from '@leveret/amqp';
import { frameType, protocolHeader } from '../../wire/frame.js';
import { decodeMethod, type Method } from '../../wire/wire-codec.js';
import { methodFrame } from './hostile-peer.js';

/** What the broker sends back by the thousand: class and method id. */
const DELIVER = 0x003c_003c;
const ACK = 0x003c_0050;

/** How long an answer may take. A deadline, not a measure. */
const DEADLINE_MILLISECONDS = 60_000;

/** What a {@link Bystander} hears. */
export interface BystanderEvents {
  delivered?(tag: number): void;
  /** The body of what was delivered, a frame. */
  body?(buffer: Buffer, start: number): void;
  confirmed?(tag: number, multiple: boolean): void;
  blocked?(isBlocked: boolean): void;
}

/** An answer that is waited for. */
interface Awaited {
  readonly name: string;
  resolve(method: Method): void;
  fail(why: string): void;
}

/** A connection that does everything as it should, and insists on being served. */
export class Bystander {
  readonly socket: Socket;
  /** What has gone wrong, which nothing should. */
  fault: string | undefined;
  readonly #events: BystanderEvents;
  #awaited: Awaited | undefined;
  #isLeaving = false;

  private constructor(socket: Socket, events: BystanderEvents) {
    this.socket = socket;
    this.#events = events;
    const reader = new FrameReader(
      {
        frame: (type, channel, buffer, start, end) => {
          if (type === frameType.body) this.#events.body?.(buffer, start);
          else if (type === frameType.method) this.#method(channel, buffer, start, end);
        },
        frameFault: (fault) => this.#failed(`the broker sent a broken frame: ${fault.kind}`),
      },
      131_072,
    );
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    socket.on('error', (error) => this.#failed(String(error)));
    socket.on('close', () => this.#failed('the broker dropped the connection'));
  }

  /** An open connection with channel 1. */
  static async open(port: number, events: BystanderEvents = {}): Promise<Bystander> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const bystander = new Bystander(socket, events);
    const started = bystander.#expect('connection.start');
    socket.write(protocolHeader);
    await started;
    const tuned = bystander.#expect('connection.tune');
    const clientProperties = { capabilities: { 'connection.blocked': true } };
    const response = '\0guest\0guest';
    bystander.#send(0, 'connection.start-ok', { clientProperties, mechanism: 'PLAIN', response });
    await tuned;
    bystander.#send(0, 'connection.tune-ok', { channelMax: 1, frameMax: 131_072, heartbeat: 0 });
    await bystander.call('connection.open', { virtualHost: '/' }, 0);
    await bystander.call('channel.open');
    return bystander;
  }

  /** Sends a method on channel 1, or another, and waits for its `-ok`. */
  call(name: string, args: Parameters<typeof methodFrame>[2] = {}, channel = 1): Promise<Method> {
    const answer = this.#expect(`${name}-ok`);
    this.#send(channel, name, args);
    return answer;
  }

  /** Closes the connection, and so ends what was declared for it alone. */
  async close(): Promise<void> {
    this.#isLeaving = true;
    if (this.fault === undefined) await this.call('connection.close', { replyCode: 200 }, 0);
    this.socket.destroy();
  }

  #send(channel: number, name: string, args: Parameters<typeof methodFrame>[2]): void {
    this.socket.write(methodFrame(channel, name, args));
  }

  async #expect(name: string): Promise<Method> {
    let timer: NodeJS.Timeout | undefined;
    const answer = new Promise<Method>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`no ${name}: ${why}`));
      this.#awaited = { name, resolve, fail };
      timer = setTimeout(() => fail('not in time'), DEADLINE_MILLISECONDS);
    });
    try {
      return await answer;
    } finally {
      clearTimeout(timer);
    }
  }

  #method(channel: number, buffer: Buffer, start: number, end: number): void {
    const id = buffer.readUInt32BE(start);
    if (id === DELIVER) {
      this.#events.delivered?.(buffer.readUInt32BE(start + 4 + 1 + buffer[start + 4]! + 4));
    } else if (id === ACK) {
      this.#events.confirmed?.(buffer.readUInt32BE(start + 8), (buffer[start + 12]! & 1) === 1);
    } else this.#heard(decodeMethod(channel, buffer.subarray(start, end)));
  }

  #heard(method: Method): void {
    const { name, args } = method;
    if (this.#awaited?.name === name) this.#awaited.resolve(method);
    else if (name === 'connection.blocked') this.#events.blocked?.(true);
    else if (name === 'connection.unblocked') this.#events.blocked?.(false);
    else this.#failed(`${name} ${String(args.replyCode)} ${String(args.replyText)}`);
  }

  #failed(fault: string): void {
    if (this.#isLeaving) return;
    this.fault ??= fault;
    this.#awaited?.fail(fault);
  }
}
