import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A RabbitMQ of one's own: nothing of it is shared with another node on this machine. */
export interface RabbitNode {
  /** `amqp://guest:guest@127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** Where its configuration, logs and data are; gone after `stop()`. */
  readonly directory: string;
  /** The path of a `rabbitmqctl` that is about this node, and needs nothing of its caller's. */
  readonly control: string;
  /** Kills the server with SIGKILL, starts it on what it has left, and waits until it is there. */
  crash(): Promise<void>;
  /** Ends the processes this node started, and only those, then removes its directory. */
  stop(): Promise<void>;
}

export interface RabbitNodeOptions {
  /** The AMQP port. Default one that is free. */
  readonly port?: number;
  /** Further lines of `rabbitmq.conf`. */
  readonly configuration?: readonly string[];
  /** Plugins to enable, e.g. `rabbitmq_consistent_hash_exchange`. Default none. */
  readonly plugins?: readonly string[];
  /** How long the node may take until it accepts AMQP. Default 60. */
  readonly startSeconds?: number;
}

/**
 * Where distributions put RabbitMQ. Its own scripts: Debian's wrappers insist on user `rabbitmq`.
 */
const libraryRoot = '/usr/lib/rabbitmq/lib';

/** What the conformance suite tests and RabbitMQ has in a plugin. */
export const PLUGINS: readonly string[] = [
  'rabbitmq_consistent_hash_exchange',
  'rabbitmq_event_exchange',
  'rabbitmq_random_exchange',
  'rabbitmq_recent_history_exchange',
  'rabbitmq_sharding',
];

/** How long a node may take to read a long backlog again after a crash. */
const RECOVERY_SECONDS = 300;

/** The path of RabbitMQ's start script, or undefined where it is not installed. */
export async function findRabbitmqServer(): Promise<string | undefined> {
  const folders = await readdir(libraryRoot).catch(() => []);
  const release = folders.find((folder) => folder.startsWith('rabbitmq_server-'));
  return release && join(libraryRoot, release, 'sbin', 'rabbitmq-server');
}

/**
 * Starts Debian's RabbitMQ as a node with its own name, ports, cookie, port mapper and data, all on
 * the loopback interface and in one temporary directory, and waits until it speaks AMQP.
 */
export async function startRabbitNode(options: RabbitNodeOptions = {}): Promise<RabbitNode> {
  const script = await findRabbitmqServer();
  if (!script) throw new Error(`no rabbitmq_server-* under ${libraryRoot}: is it installed?`);
  const directory = await mkdtemp(join(tmpdir(), 'rabbitmq-node-'));
  const [freePort, distributionPort, mapperPort] = await freePorts(3);
  const port = options.port ?? freePort!;
  const environment = await layOut(directory, port, distributionPort!, mapperPort!, options);
  const control = await writeControl(join(dirname(script), 'rabbitmqctl'), environment);

  // In the foreground, so that its pid is known: otherwise the Erlang VM starts one as a daemon.
  const mapper = launch(
    'epmd',
    ['-port', String(mapperPort), '-address', '127.0.0.1'],
    environment,
  );
  let server = launch(script, [], environment);
  async function stop(): Promise<void> {
    await end(server);
    await end(mapper);
    await rm(directory, { recursive: true, force: true });
  }
  async function untilReady(seconds: number): Promise<void> {
    try {
      await untilItSpeaksAmqp(port, server, seconds);
    } catch (error) {
      const log = await readFile(join(directory, 'log', 'rabbit.log'), 'utf8').catch(() => '');
      await stop();
      throw new Error(`RabbitMQ did not start:\n${server.output()}\n${log}`, { cause: error });
    }
  }
  const crash = async (): Promise<void> => {
    server.child.kill('SIGKILL');
    await server.gone;
    server = launch(script, [], environment);
    await untilReady(RECOVERY_SECONDS);
  };
  await untilReady(options.startSeconds ?? 60);
  return { url: `amqp://guest:guest@127.0.0.1:${port}`, port, directory, control, crash, stop };
}

/** Writes the node's files and answers the environment that points RabbitMQ at them alone. */
async function layOut(
  directory: string,
  port: number,
  distributionPort: number,
  mapperPort: number,
  options: RabbitNodeOptions,
): Promise<NodeJS.ProcessEnv> {
  const inDirectory = (name: string): string => join(directory, name);
  const configuration = [
    `listeners.tcp.1 = 127.0.0.1:${port}`,
    'log.file.level = warning',
    // Below the real disk's free space whatever the machine: an alarm would block all publishers.
    'disk_free_limit.absolute = 1MB',
    ...(options.configuration ?? []),
  ];
  await mkdir(inDirectory('log'));
  await writeFile(inDirectory('rabbitmq.conf'), `${configuration.join('\n')}\n`);
  await writeFile(inDirectory('enabled_plugins'), `[${(options.plugins ?? []).join(',')}].\n`);
  await writeFile(inDirectory('rabbitmq-env.conf'), '');
  await writeFile(inDirectory('.erlang.cookie'), randomBytes(20).toString('hex').toUpperCase(), {
    mode: 0o400,
  });
  return {
    PATH: process.env.PATH,
    LANG: 'C.UTF-8',
    HOME: directory,
    ERL_EPMD_PORT: String(mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    // The start script then becomes the Erlang VM instead of guarding it: one pid, and it is ours.
    RUNNING_UNDER_SYSTEMD: 'true',
    RABBITMQ_CONF_ENV_FILE: inDirectory('rabbitmq-env.conf'),
    RABBITMQ_NODENAME: `leveret-peer-${randomBytes(4).toString('hex')}@localhost`,
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    RABBITMQ_CONFIG_FILE: inDirectory('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: inDirectory('advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inDirectory('enabled_plugins'),
    RABBITMQ_MNESIA_BASE: inDirectory('data'),
    RABBITMQ_LOG_BASE: inDirectory('log'),
    RABBITMQ_LOGS: inDirectory('log/rabbit.log'),
    RABBITMQ_PID_FILE: inDirectory('pid'),
  };
}

/** Writes a `rabbitmqctl` with the node's environment, and answers its path. */
async function writeControl(program: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const path = join(environment.HOME!, 'rabbitmqctl');
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const variables = Object.entries(environment).map(([name, value = '']) => {
    return `export ${name}=${quoted(value)}\n`;
  });
  const text = `#!/bin/sh\n${variables.join('')}exec ${quoted(program)} "$@"\n`;
  await writeFile(path, text, { mode: 0o700 });
  return path;
}

interface Launched {
  readonly child: ChildProcess;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  output(): string;
}

function launch(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Launched {
  const child = spawn(command, args, { env, cwd: env.HOME, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      chunks.push(String(error));
      resolve();
    });
  });
  return { child, gone, output: () => chunks.join('') };
}

/** Asks a process to stop, and ends it when it has not within 20 s. */
async function end(launched: Launched): Promise<void> {
  launched.child.kill('SIGTERM');
  const abandon = setTimeout(() => launched.child.kill('SIGKILL'), 20_000);
  await launched.gone;
  clearTimeout(abandon);
}

async function untilItSpeaksAmqp(port: number, server: Launched, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await speaksAmqp(port))) {
    if (server.child.exitCode !== null || server.child.signalCode !== null) {
      throw new Error(`exited with ${server.child.exitCode ?? server.child.signalCode}`);
    }
    if (Date.now() > deadline) throw new Error(`no answer on port ${port} after ${seconds} s`);
    await delay(100);
  }
}

/** Whether the port answers a protocol header with a method frame (connection.start). */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\x00\x00\x09\x01'));
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (bytes) => settle(bytes[0] === 1));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
  });
}

/** Ports that were free a moment ago. They are asked for together, so they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            if (address && typeof address === 'object') resolve(address.port);
          });
        }),
    ),
  );
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  return ports;
}
