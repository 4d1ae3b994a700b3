/**
 * The broker under attack, in a process of its own: `node run-attacked-broker.js <settings>`, JSON.
 * Prints `ready <port> <TLS port>`; logs to stderr, as the server does. SIGTERM stops it.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Files, type Logger, nodeFiles, startBroker } from '@leveret/broker';
import type { BrokerSettings } from './attacked-broker.js';

/** Of a disk that seems smaller than it is, what has to be left: one part in so many. */
const LEFT_PART = 10;

const settings = JSON.parse(process.argv[2]!) as BrokerSettings; // from attacked-broker.ts
const { directory, diskBytes, tls } = settings;

const say =
  (level: string) =>
  (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    const { error, ...others } = fields;
    const stack = error instanceof Error ? `\n${error.stack}` : '';
    process.stderr.write(`[${level}] ${message} ${JSON.stringify(others)}${stack}\n`);
  };
const quiet = (): void => {};
const logger: Logger = {
  trace: quiet,
  debug: quiet,
  info: say('info'),
  warn: say('warn'),
  error: say('error'),
};

/** The machine's disk, as if it were small. */
function smallDisk(bytes: number): Files {
  const bytesIn = (path: string): number =>
    readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
  return { ...nodeFiles, freeBytes: async (path) => Math.max(0, bytes - bytesIn(path)) };
}

const disk =
  diskBytes === undefined
    ? {}
    : { files: smallDisk(diskBytes), diskFreeBytesMin: diskBytes / LEFT_PART };
const broker = await startBroker({
  port: 0,
  logger,
  limits: settings.channelsMax === undefined ? {} : { channelsMax: settings.channelsMax },
  memoryHighWatermarkBytes: settings.memoryBytes,
  tls: { port: 0, ...tls },
  storage: { directory, ...disk },
});
for (const [number, pattern] of (settings.policyPatterns ?? []).entries()) {
  const definition = { 'max-length': 1_000 };
  broker.vhost('/').policies.set({ name: `policy ${number}`, pattern, definition });
}
process.once('SIGTERM', () => {
  void broker.close().then(() => process.exit(0));
});
process.stdout.write(`ready ${broker.port} ${new URL(broker.tlsUrl!).port}\n`);
