import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A Leveret in a process of its own, so that what kills it does not kill the test. */
export interface LeveretProcess {
  readonly url: string;
  readonly port: number;
  /** Whether it is still there. */
  isRunning(): boolean;
  /** What it wrote to stderr, which is nothing unless it fails. */
  complaints(): string;
  /** Stops it and answers its exit code, or the signal that ended it. */
  stop(): Promise<number | NodeJS.Signals>;
}

/** Starts `run-leveret.js` beside this file and waits for its `ready` line. */
export async function startLeveretProcess(): Promise<LeveretProcess> {
  const script = fileURLToPath(new URL('./run-leveret.js', import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const url = await readyUrl(child);
  if (!url) throw new Error(`Leveret did not start:\n${chunks.join('')}`);
  return {
    url,
    port: Number(new URL(url).port),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    complaints: () => chunks.join(''),
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      return child.exitCode ?? child.signalCode ?? 0;
    },
  };
}

async function readyUrl(child: ChildProcess): Promise<string | undefined> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith('ready ')) return line.slice('ready '.length);
  }
  return undefined;
}
