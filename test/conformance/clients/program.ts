import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';

/** How a program ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What to run. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Long enough for a busy machine; only a failing test ever waits for it. */
const patienceMs = 30_000;
const stopPatienceMs = 10_000;

/**
 * A program of a user, run as a child process: its lines as they come, its signals, its end.
 * What it writes is in every failure's message.
 */
export class Program {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #lines: string[] = [];
  readonly #errorLines: string[] = [];
  readonly #exited: Promise<Exit>;
  #exit: Exit | undefined;
  /** Called at every line and at the end. */
  readonly #watchers = new Set<() => void>();

  private constructor(command: Command) {
    this.#name = [command.file, ...command.args].map((part) => part.split('/').at(-1)).join(' ');
    this.#child = spawn(command.file, command.args, {
      env: { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#collect(this.#child.stdout, this.#lines);
    this.#collect(this.#child.stderr, this.#errorLines);
    this.#exited = once(this.#child, 'close').then(([code, signal]) => {
      this.#exit = { code, signal };
      this.#wake();
      return this.#exit;
    });
  }

  /** Starts a program that the test stops, or that gets the signal after the test. */
  static start(t: TestContext, command: Command, signal: NodeJS.Signals = 'SIGKILL'): Program {
    const program = new Program(command);
    t.after(() => program.#stop(signal));
    return program;
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined, this.describe('did not start'));
    return this.#child.pid;
  }

  /** Runs a program to its end, which must be exit code 0, and gives its lines. */
  static async run(command: Command): Promise<readonly string[]> {
    const program = new Program(command);
    try {
      const exit = await program.end();
      assert.equal(exit.code, 0, program.describe('ended badly'));
    } finally {
      await program.kill();
    }
    return program.lines;
  }

  /** The lines of its standard output so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Those lines that match. */
  matching(pattern: RegExp): readonly string[] {
    return this.#lines.filter((line) => pattern.test(line));
  }

  /** Waits for a line of either output that matches. */
  async line(pattern: RegExp): Promise<string> {
    const find = (): string | undefined =>
      [...this.#lines, ...this.#errorLines].find((line) => pattern.test(line));
    await this.waitUntil(() => find() !== undefined, `a line like ${pattern}`);
    return find()!;
  }

  /** Waits for so many lines of standard output that match, and gives them. */
  async linesMatching(pattern: RegExp, count: number): Promise<readonly string[]> {
    await this.waitUntil(() => this.matching(pattern).length >= count, `${count} like ${pattern}`);
    return this.matching(pattern);
  }

  /** Interrupts it as Ctrl+C does; it must end by itself, with exit code 0. */
  async interrupt(): Promise<void> {
    this.#child.kill('SIGINT');
    const exit = await this.end();
    assert.equal(exit.code, 0, this.describe('ended badly after SIGINT'));
  }

  /** Kills it at once, without a chance to say goodbye. */
  async kill(): Promise<Exit> {
    if (this.#exit === undefined) this.#child.kill('SIGKILL');
    return this.#exited;
  }

  /** Waits for it to end by itself. */
  async end(): Promise<Exit> {
    await this.waitUntil(() => this.#exit !== undefined, 'end');
    return this.#exited;
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#exit === undefined) this.#child.kill(signal);
    // One that was asked politely and does not go is not waited for without end.
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopPatienceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Waits until the condition holds; looks again whenever the program writes or ends. */
  async waitUntil(holds: () => boolean, what: string): Promise<void> {
    if (holds()) return;
    let watcher = (): void => undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        watcher = () => {
          if (holds()) resolve();
          else if (this.#exit !== undefined) reject(new Error(this.describe(`no ${what}`)));
        };
        this.#watchers.add(watcher);
        timer = setTimeout(() => reject(new Error(this.describe(`still no ${what}`))), patienceMs);
        watcher();
      });
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    }
  }

  /** What happened, with all that it wrote. */
  describe(what: string): string {
    const exit = this.#exit === undefined ? 'running' : JSON.stringify(this.#exit);
    return [`${this.#name} (${exit}): ${what}`, ...this.#lines, ...this.#errorLines].join('\n  ');
  }

  #collect(stream: Readable, lines: string[]): void {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      this.#wake();
    });
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
