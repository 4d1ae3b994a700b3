import { connect as connectSocket, type Socket } from 'node:net';
import {
  decodeMethod,
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  FRAME_METHOD,
  type MethodInput,
  type MethodName,
  PROTOCOL_HEADER,
} from '@leveret/amqp';

const FRAME_MAX = 131_072;
const FRAME_HEADER_BYTES = 7;
const FRAME_OVERHEAD_BYTES = 8;

/** What a peer is reached with. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Reads `amqp://host:port`. */
export function targetOf(url: string): Target {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port === '' ? 5672 : port) };
}

/**
 * One raw connection with channel 1 open: requests and answers for setting up, octets for the rest.
 * It costs next to nothing, so that it is the broker that is measured.
 */
export class RawPeer {
  readonly socket: Socket;
  #buffered: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', this.#gather);
  }

  static async open(target: Target): Promise<RawPeer> {
    const socket = connectSocket({ ...target, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const peer = new RawPeer(socket);
    socket.write(PROTOCOL_HEADER);
    await peer.expect('connection.start');
    peer.send(0, 'connection.start-ok', {
      clientProperties: new Map(),
      mechanism: 'PLAIN',
      response: '\0guest\0guest',
      locale: 'en_US',
    });
    await peer.expect('connection.tune');
    const tuning = { channelMax: 2_047, frameMax: FRAME_MAX, heartbeat: 0 };
    peer.send(0, 'connection.tune-ok', tuning);
    peer.send(0, 'connection.open', { virtualHost: '/', capabilities: '', insist: false });
    await peer.expect('connection.open-ok');
    await peer.request('channel.open', { outOfBand: '' }, 'channel.open-ok');
    return peer;
  }

  send<N extends MethodName>(channel: number, name: N, args: MethodInput<N>): void {
    this.socket.write(encodeMethodFrame(channel, name, args));
  }

  /** Sends a method on channel 1 and waits for its answer. */
  async request<N extends MethodName>(
    name: N,
    args: MethodInput<N>,
    answer: MethodName,
  ): Promise<void> {
    this.send(1, name, args);
    await this.expect(answer);
  }

  async expect(name: MethodName): Promise<void> {
    const frame = await this.#nextFrame();
    const method = decodeMethod(frame, FRAME_HEADER_BYTES, frame.length - 1);
    if (method.name !== name) {
      throw new Error(`expected ${name}, got ${method.name} ${JSON.stringify(method.args)}`);
    }
  }

  /** From now on everything that comes goes to `take`, as it comes. */
  stream(take: (chunk: Buffer) => void): void {
    this.socket.off('data', this.#gather);
    if (this.#buffered.length > 0) take(this.#buffered);
    this.socket.on('data', take);
  }

  close(): void {
    this.socket.destroy();
  }

  readonly #gather = (chunk: Buffer): void => {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    this.#wake?.();
  };

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

/** What is published, over and over. */
export interface Load {
  readonly exchange: string;
  readonly routingKey: string;
  readonly bodyBytes: number;
  readonly persistent: boolean;
}

/** Whole publishes, as many as make a large write. */
export function encodePublishes(load: Load): { readonly octets: Buffer; readonly count: number } {
  const { exchange, routingKey, bodyBytes, persistent } = load;
  const args = { exchange, routingKey, mandatory: false, immediate: false };
  const one = Buffer.concat([
    encodeMethodFrame(1, 'basic.publish', args),
    encodeContentHeaderFrame(1, bodyBytes, persistent ? { deliveryMode: 2 } : {}),
    ...encodeBodyFrames(1, Buffer.alloc(bodyBytes, 'x'), FRAME_MAX),
  ]);
  const count = Math.max(1, Math.floor(65_536 / one.length));
  return { octets: Buffer.concat(new Array(count).fill(one)), count };
}

/**
 * Counts frames by their lengths, and looks at nothing else but the kind of method. `acked` and
 * `delivered` are the highest delivery tags seen in basic.ack and basic.deliver.
 */
export class FrameCounter {
  deliveries = 0;
  acked = 0;
  /** Delivery tag of the last basic.deliver. */
  lastTag = 0;
  #rest: Buffer | undefined;

  take(chunk: Buffer): void {
    let buffer = chunk;
    if (this.#rest !== undefined) buffer = Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (buffer.length - at >= FRAME_HEADER_BYTES) {
      const next = at + FRAME_OVERHEAD_BYTES + buffer.readUInt32BE(at + 3);
      if (next > buffer.length) break;
      if (buffer[at] === FRAME_METHOD) this.#method(buffer, at + FRAME_HEADER_BYTES);
      at = next;
    }
    this.#rest = at < buffer.length ? buffer.subarray(at) : undefined;
  }

  #method(buffer: Buffer, at: number): void {
    if (buffer[at + 1] !== 60) return;
    if (buffer[at + 3] === 60) {
      this.deliveries++;
      this.lastTag = buffer.readUInt32BE(at + 4 + 1 + buffer[at + 4]! + 4);
    } else if (buffer[at + 3] === 80) {
      this.acked = buffer.readUInt32BE(at + 8);
    }
  }
}
