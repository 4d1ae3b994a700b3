import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { platform } from 'node:process';

/** A data directory that another broker is using. */
export class DirectoryInUseError extends Error {
  override name = 'DirectoryInUseError';
}

/** The right to a data directory, for as long as the process lives. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes a data directory for this process. The lock is a socket that answers while its owner
 * lives: nothing is left to clear away after a crash, and it works where every broker has the same
 * process id. Rejects with DirectoryInUseError.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const handle = await open(directory, constants.O_RDONLY);
  // A socket's path must be short, and a data directory's may be long.
  const short = platform === 'linux' ? `/proc/self/fd/${handle.fd}` : directory;
  const path = `${short}/lock`;
  try {
    const server = (await listenAt(path)) ?? (await takeOver(path, directory));
    return {
      release: async () => {
        await new Promise((resolve) => server.close(resolve));
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Takes the place of an owner that is gone. */
async function takeOver(path: string, directory: string): Promise<Server> {
  if (!(await answers(path))) {
    await unlink(path);
    const server = await listenAt(path);
    if (server !== undefined) return server;
  }
  throw new DirectoryInUseError(`${directory} is in use by another broker`);
}

/** Listens; undefined if there is a socket of that name already. */
function listenAt(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
