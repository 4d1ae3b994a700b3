/**
 * A large deduplication window: how fast it fills, holds back and turns over, what it holds in
 * memory, and how soon it is back after a stop.
 *
 *     npm run bench:deduplication -- [--keys 1000000]
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { toFieldTable } from '@leveret/amqp';
import type { Broker } from './brokers/broker.js';
import { leveret, ownLauncher } from './brokers/leveret.js';
import { ConfirmLedger } from './load/confirm-ledger.js';
import { Peers } from './load/peers.js';
import { encodePublish } from './load/publish-cycle.js';
import { targetOf } from './load/raw-peer.js';

/** Unconfirmed publishes at any time, and how many are written at once. */
const IN_FLIGHT = 2_000;
const CHUNK = 100;

const { values } = parseArgs({ options: { keys: { type: 'string', default: '1000000' } } });
const count = Number(values.keys);
const keys = Array.from({ length: count }, () => randomUUID());
const source = leveret({ name: 'Leveret', launcher: ownLauncher, nodeOptions: [] });
let broker = await source.start();
try {
  const plain = await publishAll(broker, 'plain');
  const before = memoryOf(broker);
  const fill = await publishAll(broker, 'once');
  const after = memoryOf(broker);
  const held = await publishAll(broker, 'once');
  report('plain fanout, no window', plain);
  report('window, filling', fill);
  report('window, all duplicates', held);
  console.log(`memory: ${before} MiB before, ${after} MiB with ${count} keys`);
  broker = (await broker.crash?.()) ?? broker;
  console.log(`start with the window: ${Math.round(broker.startMilliseconds)} ms`);
  report('window after a crash, all duplicates', await publishAll(broker, 'once'));
  for (let i = 0; i < count; i++) keys[i] = randomUUID();
  report('window, each key pushing one out', await publishAll(broker, 'once'));
  console.log(`memory: ${memoryOf(broker)} MiB`);
} finally {
  await broker.stop();
}

/** Publishes every key, persistent, to an exchange with a durable queue that holds one message. */
async function publishAll({ url }: Broker, exchange: string): Promise<number> {
  const peers = new Peers(targetOf(url));
  const peer = await peers.open();
  const deduplication = { 'x-message-deduplication': true, 'x-cache-size': count };
  const flags = { passive: false, durable: true, autoDelete: false, nowait: false };
  const table = toFieldTable(exchange === 'once' ? deduplication : {});
  const declared = { exchange, type: 'fanout', ...flags, internal: false, arguments: table };
  await peer.request('exchange.declare', declared, 'exchange.declare-ok');
  const limit = toFieldTable({ 'x-max-length': 1 });
  const queue = { queue: exchange, ...flags, exclusive: false, arguments: limit };
  await peer.request('queue.declare', queue, 'queue.declare-ok');
  await peer.bind(exchange, exchange, '');
  await peer.request('confirm.select', { nowait: false }, 'confirm.select-ok');
  const ledger = new ConfirmLedger();
  let wake: () => void = () => {};
  peers.scan(
    peer,
    {
      confirm: (tag, multiple, isNack) => ledger.take(tag, multiple, isNack),
    },
    () => wake(),
  );
  const body = Buffer.alloc(100, 'x');
  const from = performance.now();
  for (let sent = 0; ledger.count < count; ) {
    while (sent < count && sent - ledger.count < IN_FLIGHT) {
      const frames: Buffer[] = [];
      for (let i = 0; i < CHUNK && sent < count; i++) {
        const headers = toFieldTable({ 'x-deduplication-header': keys[sent++]! });
        const properties = { headers, deliveryMode: 2 };
        frames.push(encodePublish({ exchange, routingKey: '', properties }, body));
      }
      peer.socket.write(Buffer.concat(frames));
    }
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    await Promise.race([woken, peers.failure]);
  }
  peers.closeAll();
  return count / ((performance.now() - from) / 1_000);
}

function memoryOf({ process }: Broker): number {
  return Math.round(process?.residentMebibytes() ?? Number.NaN);
}

function report(what: string, perSecond: number): void {
  console.log(`${what}: ${Math.round(perSecond)} messages/s`);
}
