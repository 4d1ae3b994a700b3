import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BrokerNeeds } from './attack.js';

const SCRIPT = fileURLToPath(new URL('./run-attacked-broker.js', import.meta.url));

/** Memory that messages may take before publishers wait, unless an attack says it, in octets. */
const MEMORY_BYTES = 268_435_456;

/** How the broker's process is started. */
export interface BrokerSettings extends BrokerNeeds {
  readonly memoryBytes: number;
  /** Its data. */
  readonly directory: string;
  readonly tls: { readonly key: string; readonly cert: string };
}

/** A broker in a process of its own, on a directory and with a log of its own. */
export class AttackedBroker {
  readonly port: number;
  readonly tlsPort: number;
  /** Octets of messages it lets into memory before publishers wait. */
  readonly memoryBytes: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, memoryBytes: number, ready: string) {
    this.#child = child;
    this.#folder = folder;
    this.memoryBytes = memoryBytes;
    const [, port, tlsPort] = ready.split(' ');
    this.port = Number(port);
    this.tlsPort = Number(tlsPort);
  }

  static async start(needs: BrokerNeeds, tls: BrokerSettings['tls']): Promise<AttackedBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'leveret-hostile-'));
    const { key, cert } = tls;
    const settings: BrokerSettings = {
      memoryBytes: MEMORY_BYTES,
      ...needs,
      directory: join(folder, 'data'),
      tls: { key, cert },
    };
    const log = openSync(join(folder, 'log'), 'w');
    const args = [...nodeOptions(), SCRIPT, JSON.stringify(settings)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    for await (const line of createInterface({ input: child.stdout! })) {
      if (line.startsWith('ready ')) {
        return new AttackedBroker(child, folder, settings.memoryBytes, line);
      }
    }
    throw new Error(`the broker did not start: ${readFileSync(join(folder, 'log'), 'utf8')}`);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The memory that it takes now, and the most it has taken, in octets, as Linux counts them. */
  memory(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const octetsOf = (name: string): number =>
      1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
    return { now: octetsOf('VmRSS'), peak: octetsOf('VmHWM') };
  }

  /** What it has logged of errors, which are faults of its own. */
  errors(): readonly string[] {
    const log = readFileSync(join(this.#folder, 'log'), 'utf8');
    // What follows a line without a level is the stack of its error.
    return log.split(/\n(?=\[)/).filter((entry) => /^\[error\]|\n\s+at /.test(entry));
  }

  /** Stops it as an operator would, and removes what it has written. */
  async stop(): Promise<void> {
    if (this.isRunning) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#folder, { recursive: true });
  }
}

/** `HOSTILE_NODE_OPTIONS=--cpu-prof` shows where the broker's time goes. */
function nodeOptions(): string[] {
  return process.env.HOSTILE_NODE_OPTIONS?.split(' ') ?? [];
}
