import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

/** Clock ticks a second in /proc: fixed at 100 for user space on Linux. */
const TICKS_PER_SECOND = 100;

/** A broker in a process of its own, and what it costs. */
export class BrokerProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess) {
    this.url = url;
    this.#child = child;
  }

  /** Starts Leveret on a free port; `nodeArgs` are Node's own, such as `--cpu-prof`. */
  static async start(nodeArgs: readonly string[] = []): Promise<BrokerProcess> {
    const bin = createRequire(import.meta.url).resolve('leveret/bin/leveret.js');
    const args = [...nodeArgs, bin, '--port', '0', '--in-memory', '--log-level', 'error'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /^ready (\S+)/.exec(line)?.[1];
      if (url !== undefined) return new BrokerProcess(url, child);
    }
    throw new Error('the broker ended before it was ready');
  }

  /** Processor time it has used, in microseconds. */
  cpuMicroseconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / TICKS_PER_SECOND;
  }

  /** Memory it holds, in MiB. */
  residentMebibytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }
}
