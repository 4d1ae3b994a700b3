import { networkInterfaces, totalmem } from 'node:os';
import {
  type BrokerLimits,
  certificateUser,
  type Logger,
  limitsOf,
  type RunningBroker,
  startBroker,
  type TlsOptions,
} from '@leveret/broker';
import { type DataDirectory, prepareDataDirectory } from './data-directory.js';
import { createLogger } from './log.js';
import { type Environment, parseCommandLine, type ServerOptions } from './options.js';
import { explainStartFailure, isSystemError, StartError } from './start-error.js';
import { TlsFiles } from './tls-files.js';
import { readVersion } from './version.js';

/** What the launcher needs of the process it runs in. main.ts hands it the real one. */
export interface Host {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  readonly environment: Environment;
  readonly nodeVersion: string;
  /** How many files and sockets the process may have open; 0 if nobody says. */
  readonly openFilesMax: number;
  /** What a container grants the process, in octets; 0 if it is in none. */
  readonly memoryLimitBytes: number;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Calls back on each SIGTERM or SIGINT. */
  onStopSignal(listener: (signal: string) => void): void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/**
 * The life of a server process. Start: command line, data directory, broker, listeners, then the
 * one line on stdout. Stop: no new connections, a connection.close to each, then the end.
 * Resolves with the exit code; a failure to start is one line on stderr and code 1.
 */
export async function launch(host: Host): Promise<number> {
  try {
    const version = readVersion();
    const commandLine = parseCommandLine(host.args, version, host.environment);
    if (commandLine.kind === 'answer') {
      host.stdout.write(commandLine.text);
      return 0;
    }
    return await serve(host, commandLine.options, version);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    host.stderr.write(`leveret: ${error.message}\n`);
    return 1;
  }
}

async function serve(host: Host, options: ServerOptions, version: string): Promise<number> {
  const logger = createLogger(options.logLevel, options.logFormat, host.stderr);
  const stopped = stopRequest(host, logger);
  const { dataDir } = options;
  const directory = dataDir === undefined ? undefined : prepareDataDirectory(dataDir);
  const tls = TlsFiles.of(options);
  const limits = limitsWithin(host.openFilesMax, options.limits);
  const broker = await listen({ ...options, limits }, tls?.options, logger, host.memoryLimitBytes);
  const stopWatching = tls?.watch(logger, (credentials) => broker.renewTls(credentials));
  logger.info(`leveret ${version} accepts connections`, { node: host.nodeVersion });
  if (broker.tlsUrl !== undefined) logger.info(`TLS is served at ${broker.tlsUrl}`);
  if (limits !== options.limits) sayHowFewFiles(host.openFilesMax, limits, logger);
  sayWhatIsStored(directory, logger);
  sayWhoIsThere(options, broker, logger);
  host.stdout.write(`ready ${broker.url}\n`);
  const signal = await stopped;
  logger.info(`${signal}: closing connections; send it again to end at once`);
  stopWatching?.();
  await broker.close();
  logger.info('stopped');
  return 0;
}

/** Resolves with the first signal to stop, also one that comes during the start. */
function stopRequest(host: Host, logger: Logger): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    host.onStopSignal((signal) => {
      if (asked) {
        logger.warn(`${signal} again: ending at once`);
        host.exit(1);
      }
      asked = true;
      resolve(signal);
    });
  });
}

/** Nobody is to wonder where a limit comes from that they have not set. */
function sayHowFewFiles(
  openFilesMax: number,
  { connectionsMax }: Partial<BrokerLimits>,
  logger: Logger,
): void {
  logger.info(
    `this process may have ${openFilesMax} files and sockets open, so no more than ` +
      `${connectionsMax} connections: raise that with ulimit -n`,
  );
}

/** Nobody may believe that messages are kept when they are not. */
function sayWhatIsStored(directory: DataDirectory | undefined, logger: Logger): void {
  if (directory === undefined) {
    logger.info('everything is in memory and ends with this process; --data-dir keeps it');
    return;
  }
  const { path, openToOthers } = directory;
  logger.info(`durable queues and persistent messages are kept in ${path}`);
  if (openToOthers) logger.warn(`other users can read ${path}: close it with chmod 700`);
}

/** A data directory has users of its own: who is asked for may not be one of them. */
function sayWhoIsThere(
  { defaultUser }: ServerOptions,
  { users }: RunningBroker,
  logger: Logger,
): void {
  if (defaultUser === undefined || users.get(defaultUser.name) !== undefined) return;
  const { name } = defaultUser;
  logger.warn(`user '${name}' is not made: the data directory has users already`);
}

async function listen(
  options: ServerOptions,
  tls: TlsOptions | undefined,
  logger: Logger,
  memoryLimitBytes: number,
): Promise<RunningBroker> {
  const { port, dataDir, sync, limits, defaultUser, defaultVhost, tlsLogin } = options;
  const host = options.bind.length > 0 ? options.bind : loopbackAddresses();
  const directory = dataDir;
  const memoryBytes = messageMemoryBytes(memoryLimitBytes);
  const storage = directory === undefined ? {} : { storage: { directory, sync, memoryBytes } };
  const first = { ...(defaultUser && { defaultUser }), ...(defaultVhost && { defaultVhost }) };
  const external = tlsLogin === undefined ? {} : { externalUser: certificateUser(tlsLogin) };
  for (let attempt = 1; ; attempt++) {
    try {
      const asked = { limits, ...first, ...external, ...(tls && { tls }), ...storage };
      const served = { port, host, logger, ...asked };
      return await startBroker(served);
    } catch (error) {
      if (!isWorthAnotherPort(error, options) || attempt === freePortAttempts) {
        throw explainStartFailure(error, dataDir);
      }
    }
  }
}

/** Shares of the files that may be open which peers get: the rest is for listeners and the disk. */
const connectionsShare = 5 / 8;
const handshakesShare = 1 / 8;

/**
 * The limits that are asked for; where none is, no more connections and handshakes than there can
 * be files open. A broker whose peers have them all could not write its journal.
 */
function limitsWithin(openFilesMax: number, asked: Partial<BrokerLimits>): Partial<BrokerLimits> {
  if (openFilesMax === 0) return asked;
  const { connectionsMax, handshakesMax } = limitsOf(asked);
  const connections = Math.floor(openFilesMax * connectionsShare);
  const handshakes = Math.floor(openFilesMax * handshakesShare);
  if (connectionsMax <= connections && handshakesMax <= handshakes) return asked;
  return {
    connectionsMax: Math.min(connections, connectionsMax),
    handshakesMax: Math.min(handshakes, handshakesMax),
    ...asked,
  };
}

/** Share of the memory there is that messages may take: the same as RabbitMQ's high watermark. */
const messageMemoryShare = 0.4;

/** Memory for messages, in octets, where a container's limit counts before the machine's size. */
function messageMemoryBytes(limitBytes: number): number {
  const available = limitBytes > 0 ? Math.min(limitBytes, totalmem()) : totalmem();
  return Math.floor(available * messageMemoryShare);
}

/** A port that is free on one address may be taken on the next; then another one is tried. */
const freePortAttempts = 10;

function isWorthAnotherPort(error: unknown, { port }: ServerOptions): boolean {
  return port === 0 && isSystemError(error) && error.code === 'EADDRINUSE';
}

/** `127.0.0.1`, and `::1` unless the machine has IPv6 switched off. */
function loopbackAddresses(): readonly string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const hasIPv6 = own.some(({ address }) => address === '::1');
  return hasIPv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];
}
