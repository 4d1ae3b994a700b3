import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { platform } from 'node:process';
import type { Clock } from '../../base/clock.js';
import { type Random, uniqueName } from '../../base/random.js';

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
export async function lockDirectory(
  directory: string,
  random: Random,
  clock: Clock,
): Promise<DirectoryLock> {
  const token = uniqueName(random, 'owner');
  const handle = await open(directory, constants.O_RDONLY);
  // A socket's path must be short, and a data directory's may be long.
  const short = platform === 'linux' ? `/proc/self/fd/${handle.fd}` : directory;
  const path = `${short}/lock`;
  try {
    const server = (await listenAt(path, token)) ?? (await takeOver(path, token, clock));
    if (server === undefined) {
      throw new DirectoryInUseError(`${directory} is in use by another broker`);
    }
    server.unref();
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

/** How long two starts at once may take to notice each other, in milliseconds. */
const TAKE_OVER_MILLISECONDS = 100;

/**
 * Takes the place of an owner that is gone; undefined if it is not. Two may try at once, and the
 * later one removes the earlier one's socket: so each looks after a while whether it is its own
 * that answers.
 */
async function takeOver(path: string, token: string, clock: Clock): Promise<Server | undefined> {
  if ((await answer(path)) !== undefined) return undefined;
  await unlink(path).catch(() => {});
  const server = await listenAt(path, token);
  await new Promise<void>((resolve) => clock.after(TAKE_OVER_MILLISECONDS, resolve));
  // A server that has lost is left alone: closing it would remove the winner's socket.
  return (await answer(path)) === token ? server : undefined;
}

/** Listens, and tells everybody a token; undefined if there is a socket of that name already. */
function listenAt(path: string, token: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.end(token));
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server));
  });
}

/** What the owner of a socket says; undefined if nobody is there. */
function answer(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(path);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      said += text;
    });
    socket.once('end', () => resolve(said));
    socket.once('error', () => resolve(undefined));
  });
}
