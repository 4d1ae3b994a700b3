import type { Socket } from 'node:net';

/** Octets that one read may bring: as many as Node.js asks for by itself. */
const READ_BYTES = 65_536;

/** What Node.js keeps in a socket for its option `onread`. */
interface ReadsIntoBuffer {
  readonly _handle?: { useUserBuffer?: (buffer: Buffer) => void } | null;
  [key: symbol]: unknown;
}

/** Where in a socket it does. */
interface Keys {
  readonly bufferKey: symbol;
  readonly callbackKey: symbol;
}

/**
 * One buffer that many sockets read into, in turn. Node.js asks for 64 KiB of new memory for each
 * read otherwise, and a stream of messages then consists of garbage that V8 collects its whole
 * heap for, ten times a second.
 *
 * It offers this, as `onread`, to sockets that connect, and to those that a server accepts only
 * inside: where what is needed is not to be found, a socket reads as it always does.
 */
export class ReadBuffer {
  readonly #buffer: Buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** As the first socket has them: to look is not cheap, and all are of one kind. */
  #keys: Keys | undefined;

  /**
   * Has a socket that nothing was read from read into the buffer. What its `data` events bring is
   * good until their listeners return. False if the socket does not let itself be told.
   */
  lendTo(socket: Socket): boolean {
    this.#keys ??= keysOf(socket);
    // Whatever its type says of it, a socket may have what Node.js keeps to itself.
    const inside = socket as unknown as ReadsIntoBuffer;
    const handle = inside._handle;
    if (this.#keys === undefined || typeof handle?.useUserBuffer !== 'function') return false;
    const { bufferKey, callbackKey } = this.#keys;
    if (!(bufferKey in inside && callbackKey in inside)) return false;
    const buffer = this.#buffer;
    inside[bufferKey] = buffer;
    inside[callbackKey] = (bytes: number) => {
      socket.emit('data', bytes === READ_BYTES ? buffer : buffer.subarray(0, bytes));
      return true;
    };
    handle.useUserBuffer(buffer);
    return true;
  }
}

function keysOf(socket: Socket): Keys | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const bufferKey = symbols.find(({ description }) => description === 'kBuffer');
  const callbackKey = symbols.find(({ description }) => description === 'kBufferCb');
  if (bufferKey === undefined || callbackKey === undefined) return undefined;
  return { bufferKey, callbackKey };
}
