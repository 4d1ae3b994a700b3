import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that prints `ready amqp://...` once it accepts connections. */
export class ReadyProcess {
  readonly url: string;
  readonly pid: number;
  readonly startMilliseconds: number;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess, startMilliseconds: number) {
    this.url = url;
    this.pid = child.pid!;
    this.startMilliseconds = startMilliseconds;
    this.#child = child;
  }

  /** Runs a program of Node's. Its complaints go to our stderr. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ReadyProcess> {
    const from = performance.now();
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^ready (\S+)/.exec(line)?.[1];
      if (url !== undefined) return new ReadyProcess(url, child, performance.now() - from);
    }
    throw new Error(`${args.join(' ')} ended before it was ready`);
  }

  /** Sends a signal, and resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }
}
