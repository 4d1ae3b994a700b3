/**
 * A server that opens and closes connections and knows nothing of messages: to each method that has
 * an answer it writes octets made beforehand. What is left is what the kernel and Node.js take for
 * the same reads and writes: no broker on this machine's Node.js does better.
 *
 * Run as a program of its own; prints `ready amqp://...`.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { encodeMethodFrame, type MethodInput, type MethodName, toFieldTable } from '@leveret/amqp';
import { FRAME_HEADER_BYTES, FRAME_OVERHEAD_BYTES } from './frame-scanner.js';

/** What brokers say of themselves takes about so much. */
const SELF_DESCRIPTION_BYTES = 400;

/** The first octet of the protocol header: `A`. */
const HEADER_BEGINS = 0x41;
/** Octets of the protocol header. */
const HEADER_BYTES = 8;

const START: Buffer = encodeMethodFrame(0, 'connection.start', {
  versionMajor: 0,
  versionMinor: 9,
  serverProperties: toFieldTable({ information: ' '.repeat(SELF_DESCRIPTION_BYTES) }),
  mechanisms: 'PLAIN',
  locales: 'en_US',
});

const CONNECTION_CLOSE = 0x000a_0032;

/** By class and method id, as they stand in a payload. */
const ANSWERS: ReadonlyMap<number, Buffer> = new Map([
  [
    0x000a_000b,
    answer(0, 'connection.tune', { channelMax: 2_047, frameMax: 131_072, heartbeat: 60 }),
  ],
  [0x000a_0028, answer(0, 'connection.open-ok', { knownHosts: '' })],
  [0x0014_000a, answer(1, 'channel.open-ok', { channelId: '' })],
  [CONNECTION_CLOSE, answer(0, 'connection.close-ok', {})],
]);

function answer<N extends MethodName>(channel: number, name: N, args: MethodInput<N>): Buffer {
  return encodeMethodFrame(channel, name, args);
}

/** Each chunk is taken to end with a frame's end: its peer sends little at a time. */
function serve(socket: Socket): void {
  socket.on('data', (chunk: Buffer) => {
    let at = 0;
    if (chunk[0] === HEADER_BEGINS) {
      socket.write(START);
      at = HEADER_BYTES;
    }
    for (; at < chunk.length; at += FRAME_OVERHEAD_BYTES + chunk.readUInt32BE(at + 3)) {
      const id = chunk.readUInt32BE(at + FRAME_HEADER_BYTES);
      const octets = ANSWERS.get(id);
      if (octets !== undefined) socket.write(octets);
      if (id === CONNECTION_CLOSE) socket.end();
    }
  });
  socket.on('error', () => socket.destroy());
}

const server = createServer({ noDelay: true }, serve);
server.listen({ host: '127.0.0.1', port: 0, backlog: 1_024 }, () => {
  // A server that listens on TCP has an address of this form.
  const { port } = server.address() as AddressInfo;
  console.log(`ready amqp://guest:guest@127.0.0.1:${port}`);
});
