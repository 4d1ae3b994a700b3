import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The root of the repository, where npm finds the workspaces. */
export const repository: string = fileURLToPath(new URL('../../..', import.meta.url));

const program = fileURLToPath(new URL('packages/server/bin/leveret.js', `file://${repository}`));

/** How long a process may live, on a busy machine; then it is killed and its test fails. */
const patienceSeconds = 60;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A server as an operator runs it: a process with arguments, output and an exit code. */
export class LeveretProcess {
  readonly child: ChildProcess;
  /** Resolves when the process has ended and its output is complete. */
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';

  /** Spawns a command; the process is ended after the test, if it still runs. */
  constructor(t: TestContext, command: string, args: readonly string[]) {
    const child = spawn(command, args, {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceSeconds * 1000,
      killSignal: 'SIGKILL',
    });
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
    t.after(async () => {
      child.kill('SIGKILL');
      await this.exited;
    });
  }

  /** `node packages/server/bin/leveret.js` with these arguments, not waited for. */
  static run(t: TestContext, ...args: readonly string[]): LeveretProcess {
    return new LeveretProcess(t, process.execPath, [program, ...args]);
  }

  /** A server on a free port that accepts connections. */
  static async start(t: TestContext, ...args: readonly string[]): Promise<LeveretProcess> {
    const server = LeveretProcess.run(t, '--port', '0', '--in-memory', ...args);
    await server.ready();
    return server;
  }

  /** Waits for the ready line and returns the URL in it. */
  async ready(): Promise<string> {
    const [, url = ''] = await this.#line(/^ready (amqp:\S+)$/m, () => this.stdout, 'a ready line');
    return url;
  }

  /** Waits until the log holds a line like this. */
  async logged(pattern: RegExp): Promise<void> {
    await this.#line(pattern, () => this.stderr, `${pattern} in the log`);
  }

  async port(): Promise<number> {
    return Number(new URL(await this.ready()).port);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Polls on output, which is when the text can have changed. */
  #line(pattern: RegExp, text: () => string, what: string): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const { child } = this;
      const ended = (): void => {
        stop();
        reject(new Error(`it ended before ${what}\n${this.stdout}${this.stderr}`));
      };
      const look = (): void => {
        const found = pattern.exec(text());
        if (found === null) return;
        stop();
        resolve(found);
      };
      const stop = (): void => {
        child.stdout?.off('data', look);
        child.stderr?.off('data', look);
        child.off('close', ended);
      };
      child.stdout?.on('data', look);
      child.stderr?.on('data', look);
      child.once('close', ended);
      look();
    });
  }
}
