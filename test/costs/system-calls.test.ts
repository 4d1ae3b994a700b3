import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LeveretProcess } from '../process/leveret-process.js';
import { WORKLOADS, type Work } from './workloads.js';

/**
 * System calls that a thousand messages may take when they come 64 KiB at a time, one such chunk
 * after the other: reading it, writing what comes of it, and the event loop going round. Threads
 * waiting for one another (futex) are left out: how often they do is the scheduler's business.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  'auto-ack': 30,
  'ack-each': 50,
  confirmed: 600,
};

const CHUNKS = 100;

for (const [name, most] of Object.entries(BUDGETS)) {
  test(`${name}: a thousand messages take at most ${most} system calls`, async (t) => {
    const reason = whyNotTraced();
    if (reason !== undefined) {
      t.skip(`no system calls are counted: ${reason}`);
      return;
    }
    const workload = WORKLOADS[name]!;
    const server = await start(t, workload.durable);
    const port = await server.port();
    const work = workload.begin({
      accept: (peer) => {
        const socket = connect({ port, host: '127.0.0.1', noDelay: true });
        t.after(() => socket.destroy());
        peer.pipe(socket).pipe(peer);
      },
    });
    await move(work, 1);
    const trace = await Trace.begin(t, server.child.pid!);
    await move(work, CHUNKS);
    const calls = await trace.end();
    const each = (1_000 * calls) / (CHUNKS * work.messagesAChunk);
    t.diagnostic(`${each.toFixed(1)} system calls for a thousand messages`);
    assert.ok(calls >= CHUNKS, `${calls} system calls were counted for ${CHUNKS} chunks`);
    assert.ok(each <= most, `${each} for a thousand messages`);
  });
}

async function start(t: TestContext, durable: boolean): Promise<LeveretProcess> {
  if (!durable) return LeveretProcess.start(t);
  const directory = mkdtempSync(join(tmpdir(), 'leveret-costs-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const server = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
  await server.ready();
  return server;
}

/** Chunk after chunk, each when the one before has been dealt with. */
async function move(work: Work, chunks: number): Promise<void> {
  for (let at = 0; at < chunks; at++) {
    work.next();
    while (!work.isDone()) await new Promise(setImmediate);
  }
}

/** Why system calls cannot be counted here; undefined if they can. */
function whyNotTraced(): string | undefined {
  try {
    execFileSync('strace', ['-f', '-c', '-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
  }
}

/** The system calls of a process, all of its threads together, while it is looked at. */
class Trace {
  readonly #child: ChildProcess;
  readonly #path: string;

  private constructor(child: ChildProcess, path: string) {
    this.#child = child;
    this.#path = path;
  }

  static async begin(t: TestContext, pid: number): Promise<Trace> {
    const directory = mkdtempSync(join(tmpdir(), 'leveret-strace-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const path = join(directory, 'counts');
    const args = ['-f', '-c', '-e', 'trace=!futex', '-U', 'calls,name', '-o', path, '-p', `${pid}`];
    const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    // It is listened to for as long as it lives: it tells of each thread, and ends if nobody hears.
    await new Promise<void>((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes(' attached')) resolve();
      });
      child.once('exit', () => reject(new Error(`strace: ${said}`)));
    });
    return new Trace(child, path);
  }

  async end(): Promise<number> {
    assert.equal(this.#child.exitCode ?? this.#child.signalCode, null, 'strace is still there');
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await gone;
    const total = /(\d+) total$/m.exec(readFileSync(this.#path, 'utf8'))?.[1];
    assert.ok(total !== undefined, 'strace has counted');
    return Number(total);
  }
}
