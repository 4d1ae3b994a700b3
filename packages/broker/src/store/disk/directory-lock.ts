import { constants } from 'node:fs';
import { open, readdir, rename, unlink } from 'node:fs/promises';
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

/** How often a start tries that gives way to another, and what it waits before, in milliseconds. */
const ATTEMPTS = 5;
const ATTEMPT_MILLISECONDS = 50;

/** How often a start looks that others have to give way to, and what it waits between. */
const LOOKS = 20;
const LOOK_MILLISECONDS = 25;

/** How the name of a claim ends that does not answer yet. */
const NEW = '.new';

/** Whether a name in a data directory is that of a claim, made or in the making. */
export function isClaimName(name: string): boolean {
  return name.startsWith('lock-');
}

/**
 * Takes a data directory for this process. A claim to it is a socket that answers while its owner
 * lives: nothing has to be cleared away after a crash, and it works where every broker has the same
 * process id.
 *
 * Each start stakes a claim under a name of its own and then looks for others: it has the directory
 * only if it has seen no other that lives. Of two, at least one began to look when the other's
 * claim was there, so that they never both have it, however slow they are. Those that see each
 * other let the first by name have it. Rejects with DirectoryInUseError.
 */
export async function lockDirectory(
  directory: string,
  random: Random,
  clock: Clock,
): Promise<DirectoryLock> {
  const handle = await open(directory, constants.O_RDONLY);
  // A socket's path must be short, and a data directory's may be long.
  const path = platform === 'linux' ? `/proc/self/fd/${handle.fd}` : directory;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await pause(clock, ATTEMPT_MILLISECONDS);
      const claim = await Claim.stake(path, uniqueName(random, 'lock'));
      if (await claim.prevails(clock)) {
        const release = async (): Promise<void> => {
          await claim.withdraw();
          await handle.close();
        };
        return { release };
      }
      await claim.withdraw();
    }
    throw new DirectoryInUseError(`${directory} is in use by another broker`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A socket in a data directory, under a name that no other ever has. */
class Claim {
  readonly #directory: string;
  readonly #name: string;
  readonly #server: Server;

  private constructor(directory: string, name: string, server: Server) {
    this.#directory = directory;
    this.#name = name;
    this.#server = server;
  }

  /** It gets its name when it answers already: what has the name and does not answer is dead. */
  static async stake(directory: string, name: string): Promise<Claim> {
    const path = `${directory}/${name}`;
    const server = await listenAt(`${path}${NEW}`);
    try {
      await rename(`${path}${NEW}`, path);
    } catch (error) {
      server.close();
      throw error;
    }
    return new Claim(directory, name, server);
  }

  /** Whether nobody else has a claim; those behind it by name are waited for to withdraw theirs. */
  async prevails(clock: Clock): Promise<boolean> {
    for (let look = 0; look < LOOKS; look++) {
      const others = await this.#others();
      if (others.length === 0) {
        this.#server.unref();
        return true;
      }
      if (others.some((other) => other < this.#name)) return false;
      await pause(clock, LOOK_MILLISECONDS);
    }
    return false;
  }

  async withdraw(): Promise<void> {
    await unlink(`${this.#directory}/${this.#name}`).catch(() => {});
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The names of the other claims whose owners live; what others have left is cleared away. */
  async #others(): Promise<string[]> {
    const living: string[] = [];
    for (const entry of await readdir(this.#directory, { withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isSocket() || !isClaimName(name) || name.endsWith(NEW)) continue;
      if (name === this.#name) continue;
      const path = `${this.#directory}/${name}`;
      if (await answers(path)) living.push(name);
      else await unlink(path).catch(() => {});
    }
    return living;
  }
}

function listenAt(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** Whether somebody listens at a socket; in doubt there is somebody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}

function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => clock.after(milliseconds, resolve, true));
}
