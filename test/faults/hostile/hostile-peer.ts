import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { encodeFrame, frameOverhead, frameType, protocolHeader } from '../../wire/frame.js';
import {
  decodeMethod,
  encodeContentHeader,
  encodeMethod,
  type Method,
  type WireArguments,
} from '../../wire/wire-codec.js';
import type { Scene } from './attack.js';

/** What a peer opens its connection with. */
export interface Opening {
  readonly clientProperties?: WireArguments | Uint8Array;
  readonly user?: string;
  readonly password?: string;
  readonly channelMax?: number;
}

/** How long a full socket is waited for when the attack is over. */
const PATIENCE_MILLISECONDS = 20;

/** What is gathered into one write. */
const WRITE_BYTES = 65_536;

const CLIENT_PROPERTIES = {
  capabilities: { authentication_failure_close: true, 'connection.blocked': true },
};

/**
 * A connection that may be used badly: octets are sent as they are, and of what comes only methods
 * are looked at. When the broker closes a channel or the connection that is counted and agreed to.
 */
export class HostilePeer {
  readonly socket: Socket;
  readonly #scene: Scene;
  #rest: Buffer = Buffer.alloc(0);
  #awaited: { readonly name: string; readonly resolve: (method: Method) => void } | undefined;
  #isOpen = true;
  #drained: () => void = () => {};
  readonly #ended: Promise<void>;
  /** Told of each method that nobody waits for. */
  onMethod: (method: Method) => void = () => {};

  constructor(scene: Scene, socket: Socket) {
    this.#scene = scene;
    this.socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('drain', () => this.#drained());
    // The broker may hang up on such a peer at any time, and a reset is one of the ways.
    socket.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#isOpen = false;
        resolve();
      });
    });
  }

  /** Connects a socket, and sends nothing. */
  static async connect(scene: Scene, port: number = scene.port): Promise<HostilePeer> {
    const socket = connectSocket({ port, host: '127.0.0.1', noDelay: true });
    return HostilePeer.#connected(scene, socket, 'connect');
  }

  /** Connects with TLS, and sends nothing inside it. */
  static async connectSecurely(scene: Scene): Promise<HostilePeer> {
    const target = { port: scene.tlsPort, host: '127.0.0.1' };
    const socket = connectTls({ ...target, rejectUnauthorized: false });
    return HostilePeer.#connected(scene, socket, 'secureConnect');
  }

  static async #connected(scene: Scene, socket: Socket, event: string): Promise<HostilePeer> {
    const peer = new HostilePeer(scene, socket);
    const connected = new Promise<void>((resolve) => socket.once(event, () => resolve()));
    await Promise.race([connected, peer.#ended]);
    return peer;
  }

  /** An open connection with channel 1. */
  static async open(scene: Scene, opening: Opening = {}): Promise<HostilePeer> {
    const peer = await HostilePeer.connect(scene);
    await peer.login(opening);
    const { channelMax = 2047 } = opening;
    peer.method(0, 'connection.tune-ok', { channelMax, frameMax: 131_072, heartbeat: 0 });
    peer.method(0, 'connection.open', { virtualHost: '/' });
    await peer.expect('connection.open-ok');
    await peer.call(1, 'channel.open');
    return peer;
  }

  /** From the protocol header to the broker's answer to the password. */
  async login({ user = 'guest', password = 'guest', clientProperties }: Opening): Promise<void> {
    this.send(protocolHeader);
    await this.expect('connection.start');
    this.method(0, 'connection.start-ok', {
      clientProperties: clientProperties ?? CLIENT_PROPERTIES,
      mechanism: 'PLAIN',
      response: `\0${user}\0${password}`,
      locale: 'en_US',
    });
    await this.expect('connection.tune');
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the socket is closed, by whomever. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  send(octets: Uint8Array): void {
    if (this.#isOpen) this.socket.write(octets);
  }

  method(channel: number, name: string, args: WireArguments = {}): void {
    this.send(methodFrame(channel, name, args));
  }

  /** Sends, and waits until the broker has taken so much that more may be sent. */
  async flood(octets: Uint8Array): Promise<void> {
    if (!this.#isOpen || this.socket.write(octets)) {
      // The other connections of this process, and what comes, have their turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
      return;
    }
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    const patience = this.#scene.over.then(() => delay(PATIENCE_MILLISECONDS));
    await Promise.race([drained, this.#ended, patience]);
  }

  /** The same for many frames, gathered into large writes. */
  async floodEach(count: number, frame: (number: number) => Buffer): Promise<void> {
    let gathered: Buffer[] = [];
    let bytes = 0;
    for (let number = 0; number < count && !this.#scene.isOver; number++) {
      const next = frame(number);
      gathered.push(next);
      bytes += next.length;
      if (bytes < WRITE_BYTES) continue;
      await this.flood(Buffer.concat(gathered));
      gathered = [];
      bytes = 0;
    }
    await this.flood(Buffer.concat(gathered));
  }

  /** Sends a method and waits for its `-ok`. */
  call(channel: number, name: string, args: WireArguments = {}): Promise<Method | undefined> {
    const answer = this.expect(`${name}-ok`);
    this.method(channel, name, args);
    return answer;
  }

  /** The next method of a name; undefined when the connection ends first. */
  expect(name: string): Promise<Method | undefined> {
    const answer = new Promise<Method>((resolve) => {
      this.#awaited = { name, resolve };
    });
    return Promise.race([answer, this.#ended.then(() => undefined)]);
  }

  /** Declares a queue, which goes with this connection. */
  async ownQueue(args: WireArguments = {}): Promise<string> {
    const declared = await this.call(1, 'queue.declare', {
      queue: '',
      exclusive: true,
      arguments: args,
    });
    return String(declared?.args.queue);
  }

  /** Waits until everything that was sent on channel 1 has been handled. */
  async settled(): Promise<void> {
    await this.call(1, 'basic.qos', {});
  }

  /** Closes the connection as one should. */
  async close(): Promise<void> {
    this.method(0, 'connection.close', { replyCode: 200, replyText: '' });
    const patience = new Promise<void>((resolve) => setTimeout(resolve, 10_000).unref());
    await Promise.race([this.#ended, patience]);
    this.socket.destroy();
  }

  cut(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (buffer.length >= frameOverhead) {
      // What is no frame is the broker's protocol header, and the last thing it says.
      if (buffer[0] === 0x41) return;
      const bytes = frameOverhead + buffer.readUInt32BE(3);
      if (buffer.length < bytes) break;
      if (buffer[0] === frameType.method) {
        this.#heard(decodeMethod(buffer.readUInt16BE(1), buffer.subarray(7, bytes - 1)));
      }
      buffer = buffer.subarray(bytes);
    }
    this.#rest = buffer;
  }

  #heard(method: Method): void {
    const { name, channel, args } = method;
    if (name === 'connection.close' || name === 'channel.close') {
      this.#scene.refused(Number(args.replyCode));
      this.method(channel, `${name}-ok`);
    }
    if (this.#awaited?.name === name) {
      this.#awaited.resolve(method);
      this.#awaited = undefined;
    } else this.onMethod(method);
  }
}

/** A method as a frame. */
export function methodFrame(channel: number, name: string, args: WireArguments = {}): Buffer {
  return encodeFrame(frameType.method, channel, encodeMethod(name, args));
}

/** A publish as frames, the body in one. */
export function publishFrames(
  channel: number,
  args: WireArguments,
  body: Uint8Array,
  properties: WireArguments = {},
): Buffer {
  return Buffer.concat([
    methodFrame(channel, 'basic.publish', args),
    encodeFrame(frameType.header, channel, encodeContentHeader(body.length, properties)),
    ...(body.length === 0 ? [] : [encodeFrame(frameType.body, channel, body)]),
  ]);
}

/** The same octets over and over, as one buffer. */
export function repeated(octets: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => octets));
}
