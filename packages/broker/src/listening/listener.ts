import { createServer, type Server, type Socket } from 'node:net';
import { ReadBuffer } from './read-buffer.js';

/** A TCP port that is being listened on. */
export interface Listener {
  readonly port: number;
  /** Stops listening; connections that exist are not touched. */
  close(): Promise<void>;
}

/** Makes a server, which is not listening yet, for one of the addresses. */
export type NewServer = () => Server;

/** Servers for connections in the clear, all of which read into one buffer. */
export function plainServer(accept: (socket: Socket) => void): NewServer {
  const readBuffer = new ReadBuffer();
  return () =>
    createServer((socket) => {
      readBuffer.lendTo(socket);
      accept(socket);
    });
}

/**
 * Listens on one port of one or several addresses; with port 0 on a free one, the same for all.
 * Rejects with Node's error (EADDRINUSE, EADDRNOTAVAIL, EACCES) if any of them cannot be had;
 * `failed` is told of what goes wrong later.
 */
export async function listen(
  port: number,
  hosts: readonly string[],
  newServer: NewServer,
  failed: (error: Error) => void,
): Promise<Listener> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  try {
    for (const host of hosts) {
      const server = newServer();
      await listenOn(server, servers.length === 0 ? port : portOf(servers[0]!), host);
      // A connection that cannot be accepted, for want of descriptors say, is no reason to end.
      server.on('error', failed);
      servers.push(server);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { port: portOf(servers[0]!), close };
}

function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, backlog: 1_024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
  return address.port;
}
