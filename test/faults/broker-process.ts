import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BrokerAccess } from '../simulation/traffic/broker-access.js';
import {
  StreamClient,
  type StreamClientEvents,
  UNHEARD,
} from '../simulation/traffic/stream-client.js';

const SCRIPT = fileURLToPath(new URL('./run-broker.js', import.meta.url));

/** How long anything may take. A deadline, not a measure: it only ends a test that has failed. */
const DEADLINE_MILLISECONDS = 30_000;

/** A broker in a process of its own, on a directory of this machine. */
export class BrokerProcess implements BrokerAccess {
  readonly #child: ChildProcess;
  readonly #complaints: string[];
  readonly #port: number;
  readonly #clients = new Set<StreamClient>();

  private constructor(child: ChildProcess, complaints: string[], port: number) {
    this.#child = child;
    this.#complaints = complaints;
    this.#port = port;
  }

  /** Starts it. Rejects with what it says if it does not start. */
  static async start(directory: string, fileBytes: number): Promise<BrokerProcess> {
    const args = [SCRIPT, directory, String(fileBytes)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const complaints: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    const exited = once(child, 'close');
    for await (const line of createInterface({ input: child.stdout })) {
      const [, port] = /^ready (\d+)$/.exec(line) ?? [];
      if (port !== undefined) return new BrokerProcess(child, complaints, Number(port));
    }
    await exited;
    throw new Error(`the broker did not start: ${complaints.join('')}`);
  }

  /** What it has logged at warn and above. */
  get complaints(): string {
    return this.#complaints.join('');
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async connect(events: Partial<StreamClientEvents> = {}): Promise<StreamClient> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const client = await this.wait(StreamClient.connect(socket, { ...UNHEARD, ...events }));
    this.#clients.add(client);
    if (!this.isRunning || this.#child.killed) client.cut();
    return client;
  }

  async wait<T>(promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`no answer in time; the broker said: ${this.complaints}`);
      timer = setTimeout(() => reject(error), DEADLINE_MILLISECONDS);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  letTimePass(): void {
    // It passes by itself.
  }

  wallTime(): number {
    return Date.now();
  }

  /** SIGKILL, this moment; nothing is heard from it any more. */
  kill(): void {
    this.#child.kill('SIGKILL');
    for (const client of this.#clients) client.cut();
  }

  /** Resolves when a killed one is gone. */
  async gone(): Promise<void> {
    if (this.isRunning) await this.wait(once(this.#child, 'exit'));
  }

  /** SIGTERM, as an operator stops it; resolves when it is gone and all it sent has been read. */
  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [code] = (await this.wait(exited)) as [number | null];
    assert.equal(code, 0, this.complaints);
    await this.wait(Promise.all([...this.#clients].map((client) => client.ended)));
  }
}
