import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const FRAME_OVERHEAD = 8;
const DELIVER = 0x003c_003c;
const FRAME_METHOD = 1;

/** What is made of a delivery's frames, given that of the one before and its count from 0. */
export type Meddle = (delivery: Buffer, count: number) => readonly Buffer[];

export interface MeddlingProxy {
  readonly url: string;
  close(): Promise<void>;
}

/** Stands before a broker, and does to its deliveries what a bad broker might. */
export async function meddlingProxy(brokerUrl: string, meddle: Meddle): Promise<MeddlingProxy> {
  const broker = new URL(brokerUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(broker.port), broker.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    client.on('data', (chunk) => upstream.write(chunk));
    const frames = new Frames(meddle);
    upstream.on('data', (chunk: Buffer) => {
      for (const octets of frames.take(chunk)) client.write(octets);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server that listens has an address of this kind.
  const { port } = server.address() as AddressInfo;
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** Cuts a stream into frames, and those of a delivery together: method, header and one body. */
class Frames {
  readonly #meddle: Meddle;
  #rest: Buffer = Buffer.alloc(0);
  #delivery: Buffer[] = [];
  #count = 0;

  constructor(meddle: Meddle) {
    this.#meddle = meddle;
  }

  take(chunk: Buffer): Buffer[] {
    const buffer = Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    let at = 0;
    while (buffer.length - at >= FRAME_OVERHEAD) {
      const end = at + FRAME_OVERHEAD + buffer.readUInt32BE(at + 3);
      if (end > buffer.length) break;
      this.#frame(buffer.subarray(at, end), out);
      at = end;
    }
    this.#rest = buffer.subarray(at);
    return out;
  }

  #frame(frame: Buffer, out: Buffer[]): void {
    const isDeliver = frame[0] === FRAME_METHOD && frame.readUInt32BE(7) === DELIVER;
    if (this.#delivery.length === 0 && !isDeliver) {
      out.push(frame);
      return;
    }
    this.#delivery.push(frame);
    if (this.#delivery.length < 3) return;
    out.push(...this.#meddle(Buffer.concat(this.#delivery), this.#count++));
    this.#delivery = [];
  }
}
