import { isIP } from 'node:net';
import {
  ALTERNATIVE_NAME_TYPES,
  type BrokerLimits,
  type CertificateName,
  type DefaultUser,
  limitsOf,
  type SyncPolicy,
  type TlsVersion,
} from '@leveret/broker';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { StartError } from './start-error.js';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const logFormats = ['text', 'json'] as const;

export type LogLevel = (typeof logLevels)[number];
export type LogFormat = (typeof logFormats)[number];

/** What the command line asks for. docs/operating/command-line.md describes each. */
export interface ServerOptions {
  /** 0 to 65535; 0 takes a free one. Default 5672. */
  readonly port: number;
  /** Addresses or host names to listen on; none means the loopback addresses of the machine. */
  readonly bind: readonly string[];
  readonly dataDir?: string;
  readonly inMemory: boolean;
  /** When what is written reaches the disk. Default `always`; of no effect without `dataDir`. */
  readonly sync: SyncPolicy;
  /** PEM files to serve TLS with; both or neither. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** 0 to 65535; 0 takes a free one. Default 5671. */
  readonly tlsPort: number;
  /** PEM file with the authorities of clients' certificates. */
  readonly tlsCa?: string;
  /** Default `none`, with `tlsCa` `require`. */
  readonly tlsClients?: 'none' | 'request' | 'require';
  /** PEM file with lists of certificates that are not good any more. */
  readonly tlsCrl?: string;
  /** Default `TLSv1.2`. */
  readonly tlsMinVersion: TlsVersion;
  /** What in clients' certificates names their users. Default: nothing, no EXTERNAL. */
  readonly tlsLogin?: CertificateName;
  /** The user that a broker begins with which is started the first time. Default guest. */
  readonly defaultUser?: DefaultUser;
  /** The virtual host that it begins with. Default `/`. */
  readonly defaultVhost?: string;
  /** Limits that differ from the defaults. */
  readonly limits: Partial<BrokerLimits>;
  /** Default `info`. */
  readonly logLevel: LogLevel;
  /** Default `text`. */
  readonly logFormat: LogFormat;
}

/** Either the options to run with, or a text (help, version) to print and be done. */
export type CommandLine =
  | { readonly kind: 'run'; readonly options: ServerOptions }
  | { readonly kind: 'answer'; readonly text: string };

/** The variables of the environment, as far as they are there. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the arguments after the program's name, and the variables that RabbitMQ's image knows: an
 * argument goes before a variable. Throws a StartError on any argument it does not know.
 */
export function parseCommandLine(
  args: readonly string[],
  version: string,
  environment: Environment = {},
): CommandLine {
  let answer = '';
  const command = describeCommand(version).configureOutput({
    writeOut: (text) => {
      answer += text;
    },
    // The same text is in the error that is thrown.
    writeErr: () => {},
  });
  try {
    command.parse(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'answer', text: answer };
    throw new StartError(`${oneLine(error.message)} See leveret --help.`);
  }
  const { bind = [], limit: limits = {}, user, ...options } = command.opts<Given>();
  checkTls(options);
  const defaultUser = user === undefined ? userOf(environment) : parseUser(user);
  const defaultVhost = environment.RABBITMQ_DEFAULT_VHOST;
  return {
    kind: 'run',
    options: {
      inMemory: false,
      ...options,
      bind,
      limits,
      ...(defaultUser && { defaultUser }),
      ...(defaultVhost && { defaultVhost }),
    },
  };
}

/** Half of what belongs together would let in too many, or nobody. */
function checkTls({ tlsCert, tlsKey, tlsCa, tlsClients, tlsCrl, tlsLogin }: Given): void {
  const fail = (text: string): never => {
    throw new StartError(`${text} See leveret --help.`);
  };
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    fail('--tls-cert and --tls-key go together: TLS needs both.');
  }
  const believes = tlsCert !== undefined && tlsCa !== undefined && tlsClients !== 'none';
  if (tlsLogin !== undefined && !believes) {
    fail('--tls-login needs --tls-cert, --tls-ca, and clients that are asked for certificates.');
  }
  if (tlsCrl !== undefined && !believes) {
    fail('--tls-crl needs --tls-cert, --tls-ca, and clients that are asked for certificates.');
  }
}

/** The options that describeCommand gives a default. */
type Defaulted = Pick<
  ServerOptions,
  'port' | 'tlsPort' | 'tlsMinVersion' | 'sync' | 'logLevel' | 'logFormat'
>;

/** What commander makes of the arguments. */
type Given = Partial<Omit<ServerOptions, 'limits'>> &
  Defaulted & { readonly user?: string; readonly limit?: Partial<BrokerLimits> };

/** As in RabbitMQ's image, what is not said of the user is said of guest. */
function userOf({
  RABBITMQ_DEFAULT_USER: name,
  RABBITMQ_DEFAULT_PASS: password,
}: Environment): DefaultUser | undefined {
  if (!name && !password) return undefined;
  return { name: name || 'guest', password: password || 'guest' };
}

function describeCommand(version: string): Command {
  const command = new Command('leveret')
    .description('A message broker for programs written for RabbitMQ (AMQP 0-9-1).')
    .usage('[options]')
    .option('--port <number>', 'listen on this port; 0 takes a free one', parsePort, 5672)
    .option(
      '--bind <address>',
      'listen on this address instead of loopback only; may be repeated',
      collectAddress,
    )
    .addOption(
      new Option('--data-dir <dir>', 'keep durable queues and persistent messages here').conflicts(
        'inMemory',
      ),
    )
    .option(
      '--sync <policy>',
      'put writes on the disk: always (before a confirm), interval:MS, never',
      parseSync,
      'always',
    )
    .option('--in-memory', 'write nothing to disk (what happens without --data-dir)');
  return describeTls(command)
    .option(
      '--user <name:password>',
      'begin with this user instead of guest; RABBITMQ_DEFAULT_USER and _PASS do the same',
    )
    .option(
      '--limit <name=value>',
      'set a limit, queuesMax=1000 say; may be repeated. docs/limits.md lists them',
      collectLimit,
    )
    .addOption(
      new Option('--log-level <level>', 'log this and what is graver')
        .choices(logLevels)
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'how log lines look on stderr')
        .choices(logFormats)
        .default('text'),
    )
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .addHelpText('after', examples)
    .exitOverride();
}

function describeTls(command: Command): Command {
  return command
    .option('--tls-cert <file>', 'serve TLS too, with this certificate (PEM)')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option(
      '--tls-port <number>',
      'listen for TLS on this port; 0 takes a free one',
      parsePort,
      5671,
    )
    .option('--tls-ca <file>', 'believe certificates of clients that these authorities have signed')
    .addOption(
      new Option('--tls-clients <policy>', 'whether clients have to show a certificate').choices([
        'none',
        'request',
        'require',
      ]),
    )
    .option('--tls-crl <file>', 'but not those in these lists (PEM) of their authorities')
    .addOption(
      new Option('--tls-min-version <version>', 'the oldest version that is spoken')
        .choices(['TLSv1.2', 'TLSv1.3'])
        .default('TLSv1.2'),
    )
    .option(
      '--tls-login <name>',
      'let clients in as the user whom their certificate names: distinguished_name, ' +
        'common_name, or subject_alternative_name[:type[:index]]',
      parseCertificateName,
    );
}

const examples = `
Examples:
  leveret                           amqp://guest:guest@127.0.0.1:5672
  leveret --port 0                  a free port; the ready line on stdout names it
  leveret --bind 0.0.0.0            all IPv4 addresses; guest may still log in from loopback only

Prints one line on stdout, "ready amqp://...", once it accepts connections, and logs to stderr.
SIGTERM or SIGINT closes the connections and ends it; a second one ends it at once.
`;

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
}

function parseUser(text: string): DefaultUser {
  const [, name, password] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (name !== undefined && password !== undefined) return { name, password };
  // The text may be a password: it is not repeated, as commander would.
  throw new StartError('--user takes a name and a password, with a colon between them.');
}

function collectLimit(text: string, collected: Partial<BrokerLimits> = {}): Partial<BrokerLimits> {
  const [, name, value] = /^([^=]+)=(\d+|infinity)$/.exec(text) ?? [];
  if (name === undefined) {
    throw new InvalidArgumentError('It must be NAME=VALUE, with a whole number or infinity.');
  }
  const limit = { [name]: value === 'infinity' ? Number.POSITIVE_INFINITY : Number(value) };
  try {
    limitsOf(limit);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidArgumentError(`${error.message}.`);
  }
  return { ...collected, ...limit };
}

function parseSync(text: string): SyncPolicy {
  if (text === 'always' || text === 'never') return text;
  const milliseconds = Number(/^interval:(\d+)$/.exec(text)?.[1] ?? 0);
  if (milliseconds >= 1 && milliseconds <= 60_000) return { milliseconds };
  throw new InvalidArgumentError('It must be always, never, or interval:MS with 1 to 60000.');
}

function parseCertificateName(text: string): CertificateName {
  if (text === 'distinguished_name' || text === 'common_name') return text;
  const given = /^subject_alternative_name(?::(\w+)(?::(\d{1,3}))?)?$/.exec(text);
  const type = ALTERNATIVE_NAME_TYPES.find((known) => known === (given?.[1] ?? 'dns'));
  if (given !== null && type !== undefined) {
    return { subjectAlternativeName: type, index: Number(given[2] ?? 0) };
  }
  throw new InvalidArgumentError(
    'It must be distinguished_name, common_name, or subject_alternative_name:TYPE:INDEX with ' +
      `a type of ${ALTERNATIVE_NAME_TYPES.join(', ')}.`,
  );
}

/** One label or more of letters, digits, hyphens and underscores: `localhost`, `mq.example.org`. */
const hostName = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i;

function collectAddress(text: string, collected: readonly string[] = []): readonly string[] {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  const isName = hostName.test(address) && !/^[\d.]+$/.test(address);
  if (isIP(address) !== 0 || isName) return [...collected, address];
  throw new InvalidArgumentError('It must be an IP address or a host name, without a port.');
}

/** Commander starts with `error: ` and puts its suggestion on a line of its own. */
function oneLine(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return /[.?)]$/.test(text) ? text : `${text}.`;
}
