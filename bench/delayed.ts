/**
 * A million delayed messages with random due times: how fast they are taken, what they cost in
 * memory while they wait, how late they are, and how long a start with them takes.
 *
 *     npm run bench:delayed -- [--messages 1000000] [--window 150] [--body 256] [--restart]
 *                              [--in-memory]
 *
 * They fall due at random within `window` seconds, persistent and confirmed. With `--restart` the
 * broker is killed and started again before the first is due.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FieldTable } from '@leveret/amqp';
import { ownLauncher } from './brokers/leveret.js';
import { ProcessCost } from './brokers/process-cost.js';
import { ReadyProcess } from './brokers/ready-process.js';
import { ackUpTo } from './load/acks.js';
import { ConfirmLedger } from './load/confirm-ledger.js';
import { Peers } from './load/peers.js';
import { percentile } from './load/percentile.js';
import { encodePublish } from './load/publish-cycle.js';
import { type RawPeer, targetOf } from './load/raw-peer.js';

const { values: options } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    window: { type: 'string', default: '150' },
    body: { type: 'string', default: '256' },
    restart: { type: 'boolean', default: false },
    'in-memory': { type: 'boolean', default: false },
  },
});
const messages = Number(options.messages);
const windowMilliseconds = Number(options.window) * 1_000;
const bodyBytes = Number(options.body);

/** What publishing is given time for before the first message is due. */
const PUBLISHES_PER_SECOND_MIN = 20_000;
const UNCONFIRMED_MAX = 10_000;
const PUBLISHES_PER_WRITE = 200;
const ACK_EVERY = 100;
/** How long the last message may be late before the rest counts as lost. */
const PATIENCE_MILLISECONDS = 60_000;

/** Stands for the due time in an encoded publish. */
const MARK = 0x1234_5678_1234_5678n;

const directory = await mkdtemp(join(tmpdir(), 'leveret-delayed-'));
const storage = options['in-memory'] ? ['--in-memory'] : ['--data-dir', directory];
const args = [ownLauncher, '--port', '0', '--log-level', 'error', ...storage];
let broker = await ReadyProcess.start(args);
try {
  const empty = new ProcessCost(broker.pid).residentMebibytes();
  const firstDue = Math.ceil(Date.now() + 3_000 + (messages / PUBLISHES_PER_SECOND_MIN) * 1_000);
  await publishAll(firstDue);
  report('memory before', empty, 'MiB');
  report('memory with all of them waiting', new ProcessCost(broker.pid).residentMebibytes(), 'MiB');
  if (options.restart) {
    await broker.end('SIGKILL');
    broker = await ReadyProcess.start(args);
    report('start after kill -9', broker.startMilliseconds / 1_000, 's');
    report('memory after it', new ProcessCost(broker.pid).residentMebibytes(), 'MiB');
  }
  const cost = new ProcessCost(broker.pid);
  const before = cost.cpuMicroseconds() ?? Number.NaN;
  await takeAll(firstDue);
  const microseconds = ((cost.cpuMicroseconds() ?? Number.NaN) - before) / messages;
  report('processor time to deliver one', microseconds, 'µs');
  report('most memory', cost.peakMebibytes(), 'MiB');
} finally {
  await broker.end('SIGTERM');
  await rm(directory, { recursive: true, force: true });
}

async function publishAll(firstDue: number): Promise<void> {
  const peers = new Peers(targetOf(broker.url));
  const peer = await peers.open();
  await declareAll(peer);
  await peer.request('confirm.select', { nowait: false }, 'confirm.select-ok');
  const ledger = new ConfirmLedger();
  let wake = (): void => {};
  peers.scan(peer, { confirm: (tag, multiple, isNack) => ledger.take(tag, multiple, isNack) }, () =>
    wake(),
  );
  const write = writerOf(firstDue);
  const from = performance.now();
  for (let sent = 0; sent < messages; ) {
    const count = Math.min(PUBLISHES_PER_WRITE, messages - sent);
    peer.socket.write(write(sent, count));
    sent += count;
    while (sent - ledger.count > UNCONFIRMED_MAX || (ledger.count < sent && sent === messages)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const seconds = (performance.now() - from) / 1_000;
  report('published and confirmed', messages / seconds, 'msg/s');
  if (ledger.nacks > 0) report('refused', ledger.nacks, '');
  if (Date.now() > firstDue) console.log('publishing took too long: some were due meanwhile');
  peers.closeAll();
}

async function declareAll(peer: RawPeer): Promise<void> {
  const flags = { passive: false, durable: true, autoDelete: false, internal: false };
  const table: FieldTable = new Map([['x-delayed-type', { type: 'S', value: 'fanout' }]]);
  const declaration = { exchange: 'later', type: 'x-delayed-message', ...flags, nowait: false };
  const exchange = { ...declaration, arguments: table };
  await peer.request('exchange.declare', exchange, 'exchange.declare-ok');
  await peer.declareQueue('due', true);
  await peer.bind('due', 'later', '');
}

/** Writes publishes: each says in its body when it is due, and its number. */
function writerOf(firstDue: number): (first: number, count: number) => Buffer {
  const headers: FieldTable = new Map([['x-deliver-at', { type: 'l', value: MARK }]]);
  const properties = { deliveryMode: 2, headers };
  const publish = { exchange: 'later', routingKey: '', properties };
  const template = encodePublish(publish, Buffer.alloc(bodyBytes, 'x'));
  const mark = Buffer.alloc(8);
  mark.writeBigInt64BE(MARK);
  const dueAt = template.indexOf(mark);
  const body = template.length - 1 - bodyBytes;
  return (first, count) => {
    const octets = Buffer.allocUnsafe(template.length * count);
    for (let i = 0; i < count; i++) {
      const at = i * template.length;
      const due = firstDue + Math.floor(Math.random() * windowMilliseconds);
      template.copy(octets, at);
      octets.writeBigInt64BE(BigInt(due), at + dueAt);
      octets.writeDoubleBE(due, at + body);
      octets.writeUInt32BE(first + i, at + body + 8);
    }
    return octets;
  };
}

async function takeAll(firstDue: number): Promise<void> {
  const peers = new Peers(targetOf(broker.url));
  const peer = await peers.open();
  const lateness: number[] = [];
  const seen = new Uint8Array(messages);
  let twice = 0;
  let last = 0;
  let acked = 0;
  await peer.consume('due', false, 2_000);
  peers.scan(
    peer,
    {
      deliver: (tag) => {
        last = tag;
      },
      body: (buffer, start) => {
        lateness.push(Date.now() - buffer.readDoubleBE(start));
        const number = buffer.readUInt32BE(start + 8);
        if (seen[number]!++ > 0) twice++;
      },
    },
    () => {
      if (last - acked < ACK_EVERY && last < messages) return;
      acked = last;
      peer.socket.write(ackUpTo(last));
    },
  );
  const end = firstDue + windowMilliseconds + PATIENCE_MILLISECONDS;
  while (lateness.length < messages && Date.now() < end) await delay(50);
  peers.closeAll();
  report('late, p50', percentile(lateness, 0.5), 'ms');
  report('late, p99', percentile(lateness, 0.99), 'ms');
  report(
    'late, most',
    lateness.reduce((a, b) => Math.max(a, b), 0),
    'ms',
  );
  report('early', lateness.filter((each) => each < 0).length, '');
  report(
    'lost',
    seen.reduce((sum, each) => sum + (each === 0 ? 1 : 0), 0),
    '',
  );
  report('delivered twice', twice, '');
}

function report(what: string, value: number | undefined, unit: string): void {
  const number = value?.toLocaleString('en', { maximumFractionDigits: value < 100 ? 2 : 0 });
  console.log(`${what.padEnd(34)}${(number ?? '?').padStart(12)} ${unit}`);
}
