/**
 * A broker in a process of its own, to be killed: `node run-broker.js <directory> <file bytes>`.
 * Prints `ready <port>` when it accepts, and what it logs at warn and above on stderr. SIGTERM
 * stops it.
 */
import { type Logger, startBroker } from '@leveret/broker';

const [directory = '', fileBytes = ''] = process.argv.slice(2);
const say = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
  const { error } = fields ?? {};
  process.stderr.write(`${message}${error instanceof Error ? `: ${error.stack}` : ''}\n`);
};
const quiet = (): void => {};
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: say, error: say };

try {
  const storage = { directory, fileBytes: Number(fileBytes) };
  const broker = await startBroker({ port: 0, logger, storage });
  process.once('SIGTERM', () => {
    void broker.close().then(() => process.exit(0));
  });
  process.stdout.write(`ready ${broker.port}\n`);
} catch (error) {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
}
