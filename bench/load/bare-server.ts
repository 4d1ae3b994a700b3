/**
 * A server that answers as a broker does and is none: it opens and closes connections with octets
 * made beforehand, and passes questions and answers on (`rows/rpc.ts`) without looking at what they
 * say. What is left is what the kernel and Node.js take for the same reads and writes: no broker on
 * this machine's Node.js does better.
 *
 * Run as a program of its own; prints `ready amqp://...`.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  encodeMethodFrame,
  FRAME_METHOD,
  type MethodInput,
  type MethodName,
  toFieldTable,
} from '@leveret/amqp';
import { FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES } from './frame-scanner.js';

/** What brokers say of themselves takes about so much. */
const SELF_DESCRIPTION_BYTES = 400;

/** The first octet of the protocol header: `A`. */
const HEADER_BEGINS = 0x41;
/** Octets of the protocol header. */
const HEADER_BYTES = 8;

const REPLY_TO = 'amq.rabbitmq.reply-to';

const CONNECTION_CLOSE = 0x000a_0032;
const CONSUME = 0x003c_0014;
const PUBLISH = 0x003c_0028;

const START: Buffer = encodeMethodFrame(0, 'connection.start', {
  versionMajor: 0,
  versionMinor: 9,
  serverProperties: toFieldTable({ information: ' '.repeat(SELF_DESCRIPTION_BYTES) }),
  mechanisms: 'PLAIN',
  locales: 'en_US',
});

const TUNING = { channelMax: 2_047, frameMax: 131_072, heartbeat: 60 };

/** By class and method id, as they stand in a payload. */
const ANSWERS: ReadonlyMap<number, Buffer> = new Map([
  [0x000a_000b, answer(0, 'connection.tune', TUNING)],
  [0x000a_0028, answer(0, 'connection.open-ok', { knownHosts: '' })],
  [CONNECTION_CLOSE, answer(0, 'connection.close-ok', {})],
  [0x0014_000a, answer(1, 'channel.open-ok', { channelId: '' })],
  [0x0032_000a, answer(1, 'queue.declare-ok', { queue: '', messageCount: 0, consumerCount: 0 })],
  [0x0032_0028, answer(1, 'queue.delete-ok', { messageCount: 0 })],
  [0x003c_000a, answer(1, 'basic.qos-ok', {})],
  [CONSUME, answer(1, 'basic.consume-ok', { consumerTag: 'c' })],
]);

const DELIVER: Buffer = answer(1, 'basic.deliver', {
  consumerTag: 'c',
  deliveryTag: 1,
  redelivered: false,
  exchange: '',
  routingKey: '',
});

function answer<N extends MethodName>(channel: number, name: N, args: MethodInput<N>): Buffer {
  return encodeMethodFrame(channel, name, args);
}

/** Where questions and answers cross. */
class Crossing {
  /** Who answers. */
  answerer: BarePeer | undefined;
  /** Who has asked and has no answer, in their order. */
  readonly askers: BarePeer[] = [];
  /** Who gets something when all that can be read now has been. */
  readonly #receivers = new Set<BarePeer>();

  flushLater(peer: BarePeer): void {
    if (this.#receivers.size === 0) setImmediate(() => this.#flush());
    this.#receivers.add(peer);
  }

  #flush(): void {
    for (const peer of this.#receivers) peer.flush();
    this.#receivers.clear();
  }
}

/** Each chunk is taken to end with a frame's end: its peer sends little at a time. */
class BarePeer {
  readonly #socket: Socket;
  readonly #crossing: Crossing;
  #out: Buffer[] = [];

  constructor(socket: Socket, crossing: Crossing) {
    this.#socket = socket;
    this.#crossing = crossing;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
  }

  deliver(octets: Buffer): void {
    this.#out.push(octets);
    this.#crossing.flushLater(this);
  }

  flush(): void {
    this.#socket.write(this.#out.length === 1 ? this.#out[0]! : Buffer.concat(this.#out));
    this.#out = [];
  }

  #take(chunk: Buffer): void {
    let at = 0;
    if (chunk[0] === HEADER_BEGINS) {
      this.#socket.write(START);
      at = HEADER_BYTES;
    }
    while (at < chunk.length) {
      const next = endOf(chunk, at);
      const id = chunk[at] === FRAME_METHOD ? chunk.readUInt32BE(at + FRAME_HEADER_BYTES) : 0;
      at = id === PUBLISH ? this.#pass(chunk, next) : next;
      if (id === CONSUME && !chunk.includes(REPLY_TO)) this.#crossing.answerer = this;
      const octets = ANSWERS.get(id);
      if (octets !== undefined) this.#socket.write(octets);
      if (id === CONNECTION_CLOSE) this.#socket.end();
    }
  }

  /** Hands on a header and a body, to who answers or to who has asked; returns what is behind. */
  #pass(chunk: Buffer, from: number): number {
    const { answerer, askers } = this.#crossing;
    const end = endOf(chunk, endOf(chunk, from));
    if (this !== answerer) askers.push(this);
    const to = this === answerer ? askers.shift() : answerer;
    to?.deliver(Buffer.concat([DELIVER, chunk.subarray(from, end)]));
    return end;
  }
}

/** Where the frame that begins at `at` ends. */
function endOf(chunk: Buffer, at: number): number {
  return at + FRAME_OVERHEAD_BYTES + chunk.readUInt32BE(at + 3);
}

const crossing = new Crossing();
const server = createServer({ noDelay: true }, (socket) => new BarePeer(socket, crossing));
server.listen({ host: '127.0.0.1', port: 0, backlog: 1_024 }, () => {
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  console.log(`ready amqp://guest:guest@127.0.0.1:${port}`);
});
