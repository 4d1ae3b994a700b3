/**
 * How many messages a second go from one publisher through one queue to one consumer.
 *
 *     node bench/dist/throughput.js [--url amqp://host:port] [--row NAME] [--seconds 5] [--prof]
 *
 * Without a URL it starts Leveret in a process of its own, and tells what a message costs it.
 */
import { parseArgs } from 'node:util';
import { BrokerProcess } from './broker-process.js';
import {
  encodePublishes,
  FrameCounter,
  type Load,
  RawPeer,
  type Target,
  targetOf,
} from './generator.js';

/** A way of moving messages. */
interface Row {
  readonly name: string;
  readonly bodyBytes: number;
  readonly persistent: boolean;
  /** 0: deliveries need no acknowledgement. Otherwise one is sent for each so many deliveries. */
  readonly ackEvery: number;
  readonly prefetch: number;
  /** Publishes that may be unconfirmed; 0: no confirms. */
  readonly confirmWindow: number;
}

const PLAIN = { persistent: false, ackEvery: 0, prefetch: 0, confirmWindow: 0 };

const ROWS: readonly Row[] = [
  { ...PLAIN, name: '16B auto-ack', bodyBytes: 16 },
  { ...PLAIN, name: '1KiB auto-ack', bodyBytes: 1_024 },
  { ...PLAIN, name: '16B ack each, prefetch 100', bodyBytes: 16, ackEvery: 1, prefetch: 100 },
  {
    name: '1KiB persistent, confirm window 100',
    bodyBytes: 1_024,
    persistent: true,
    ackEvery: 50,
    prefetch: 1_000,
    confirmWindow: 100,
  },
];

/** Publishes may run ahead of deliveries by so much, so that a backlog is not what is measured. */
const AHEAD_BYTES = 4_194_304;

/** Time for things to settle before measuring begins, in milliseconds. */
const WARM_UP_MILLISECONDS = 1_500;

async function measure(target: Target, row: Row, seconds: number, broker?: BrokerProcess) {
  const queue = `bench-${process.pid}-${Date.now()}`;
  const consumer = await RawPeer.open(target);
  const publisher = await RawPeer.open(target);
  await declare(consumer, queue, row);
  const received = new FrameCounter();
  const confirmed = new FrameCounter();
  const stop = publish(publisher, queue, row, received, confirmed);
  consume(consumer, row, received);
  await delay(WARM_UP_MILLISECONDS);
  const before = {
    at: performance.now(),
    count: received.deliveries,
    cpu: broker?.cpuMicroseconds(),
  };
  await delay(seconds * 1_000);
  const elapsed = (performance.now() - before.at) / 1_000;
  const count = received.deliveries - before.count;
  const cpu =
    broker && before.cpu !== undefined ? broker.cpuMicroseconds() - before.cpu : undefined;
  stop();
  publisher.close();
  const cleaner = await RawPeer.open(target);
  await cleaner.request(
    'queue.delete',
    { queue, ifUnused: false, ifEmpty: false, nowait: false },
    'queue.delete-ok',
  );
  cleaner.close();
  consumer.close();
  return { perSecond: count / elapsed, cpuPerMessage: cpu === undefined ? undefined : cpu / count };
}

async function declare(peer: RawPeer, queue: string, row: Row): Promise<void> {
  const flags = { passive: false, durable: row.persistent, exclusive: false, autoDelete: false };
  const args = { queue, ...flags, nowait: false, arguments: new Map() };
  await peer.request('queue.declare', args, 'queue.declare-ok');
  const qos = { prefetchSize: 0, prefetchCount: row.prefetch, global: false };
  await peer.request('basic.qos', qos, 'basic.qos-ok');
  const noAck = row.ackEvery === 0;
  const consume = { queue, consumerTag: 'c', noLocal: false, noAck, exclusive: false };
  await peer.request(
    'basic.consume',
    { ...consume, nowait: false, arguments: new Map() },
    'basic.consume-ok',
  );
}

function consume(peer: RawPeer, row: Row, received: FrameCounter): void {
  const ack = Buffer.from('0100010000000d003c0050000000000000000000ce', 'hex');
  let acked = 0;
  peer.stream((chunk) => {
    received.take(chunk);
    if (row.ackEvery === 0 || received.lastTag - acked < row.ackEvery) return;
    if (row.ackEvery === 1) {
      const acks = Buffer.alloc(ack.length * (received.lastTag - acked));
      for (let at = 0; at < acks.length; at += ack.length) {
        ack.copy(acks, at);
        acks.writeUInt32BE(++acked, at + 15);
      }
      peer.socket.write(acks);
      return;
    }
    acked = received.lastTag;
    const multiple = Buffer.from(ack);
    multiple.writeUInt32BE(acked, 15);
    multiple[19] = 1;
    peer.socket.write(multiple);
  });
}

/** Publishes for as long as it is not stopped, within the window and not too far ahead. */
function publish(
  peer: RawPeer,
  queue: string,
  row: Row,
  received: FrameCounter,
  confirmed: FrameCounter,
): () => void {
  const load: Load = { ...row, exchange: '', routingKey: queue };
  const { octets, count } = encodePublishes(load);
  const oneBytes = octets.length / count;
  const ahead = Math.max(count, Math.floor(AHEAD_BYTES / oneBytes));
  let published = 0;
  let stopped = false;
  if (row.confirmWindow > 0) peer.send(1, 'confirm.select', { nowait: true });
  const room = (): number => {
    const behind = published - (row.confirmWindow > 0 ? confirmed.acked : received.deliveries);
    return (row.confirmWindow > 0 ? row.confirmWindow : ahead) - behind;
  };
  const more = (): void => {
    while (!stopped) {
      const batch = Math.min(count, room());
      if (batch <= 0 || (row.confirmWindow === 0 && batch < count)) break;
      published += batch;
      if (!peer.socket.write(batch === count ? octets : octets.subarray(0, batch * oneBytes)))
        return;
    }
    if (!stopped && row.confirmWindow === 0) setImmediate(more);
  };
  peer.stream((chunk) => {
    confirmed.take(chunk);
    if (row.confirmWindow > 0) more();
  });
  peer.socket.on('drain', more);
  more();
  return () => {
    stopped = true;
  };
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string' },
      row: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      prof: { type: 'boolean', default: false },
    },
  });
  const rows = ROWS.filter(({ name }) => values.row === undefined || name.includes(values.row));
  for (const row of rows) {
    const nodeArgs = values.prof ? ['--cpu-prof', '--cpu-prof-dir=/tmp/leveret-prof'] : [];
    const broker = values.url === undefined ? await BrokerProcess.start(nodeArgs) : undefined;
    const target = targetOf(values.url ?? broker?.url ?? '');
    const result = await measure(target, row, Number(values.seconds), broker);
    const cpu = result.cpuPerMessage?.toFixed(2) ?? '-';
    const rate = Math.round(result.perSecond).toLocaleString('en');
    const memory = broker?.residentMebibytes().toFixed(0) ?? '-';
    console.log(`${row.name.padEnd(38)} ${rate.padStart(10)} msg/s  ${cpu} µs CPU  ${memory} MiB`);
    await broker?.stop();
  }
}

await main();
