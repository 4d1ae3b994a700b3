import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program that prints `ready amqp://...` once it accepts connections. */
export class ReadyProcess {
  readonly url: string;
  readonly pid: number;
  readonly startMilliseconds: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    child: ChildProcess,
    lines: AsyncIterator<string>,
    url: string,
    startMilliseconds: number,
  ) {
    this.url = url;
    this.pid = child.pid!;
    this.startMilliseconds = startMilliseconds;
    this.#child = child;
    this.#lines = lines;
  }

  /** Runs a program of Node's. Its complaints go to our stderr. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ReadyProcess> {
    const from = performance.now();
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new ReadyProcess(child, lines, await nextUrl(lines), performance.now() - from);
  }

  /** Sends a signal on which the program begins anew, and waits until it is ready once more. */
  async readyAgainAfter(signal: NodeJS.Signals): Promise<ReadyProcess> {
    const from = performance.now();
    this.#child.kill(signal);
    const url = await nextUrl(this.#lines);
    return new ReadyProcess(this.#child, this.#lines, url, performance.now() - from);
  }

  /** Sends a signal, and resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }
}

async function nextUrl(lines: AsyncIterator<string>): Promise<string> {
  for (;;) {
    const line = await lines.next();
    if (line.done === true) throw new Error('the broker ended before it was ready');
    const url = /^ready (\S+)/.exec(line.value)?.[1];
    if (url !== undefined) return url;
  }
}
