import { setTimeout as delay } from 'node:timers/promises';
import { ackUpTo } from '../load/acks.js';
import { ConfirmLedger } from '../load/confirm-ledger.js';
import { percentile } from '../load/percentile.js';
import { PublishCycle } from '../load/publish-cycle.js';
import type { RawPeer } from '../load/raw-peer.js';
import { SequenceCheck } from '../load/sequence-check.js';
import {
  type Measurement,
  meter,
  type Row,
  type Setting,
  until,
  WARM_UP_MILLISECONDS,
} from './row.js';

const MESSAGES_PER_SECOND = 5_000;
const BODY_BYTES = 256;
const ACK_EVERY = 10;

/** How long a message takes from the publisher's write to the consumer's read, at an easy rate. */
export function latencyRow(persistent: boolean): Row {
  const percentiles = (what: string) =>
    ['p50', 'p99'].map((name) => ({
      name: `${what}${name}`,
      unit: 'ms',
      better: 'lower' as const,
    }));
  return {
    name: `latency at 5,000 msg/s, 256 B${persistent ? ', persistent, confirmed' : ''}`,
    figures: [...percentiles(''), ...(persistent ? percentiles('confirm ') : [])],
    measure: (setting) => measureLatency(persistent, setting),
  };
}

async function measureLatency(persistent: boolean, setting: Setting): Promise<Measurement> {
  const { broker, peers, id, seconds, patienceSeconds } = setting;
  const queue = `bench-${id}`;
  const consumer = await peers.open();
  await consumer.declareQueue(queue, persistent);
  const sentAt: number[] = [];
  const delays: number[] = [];
  const confirmDelays: number[] = [];
  const check = new SequenceCheck(0);
  await consume(consumer, queue, setting, check, (number) => {
    delays.push(performance.now() - sentAt[number]!);
  });
  const publisher = await peers.open();
  const ledger = new ConfirmLedger();
  if (persistent) await publisher.request('confirm.select', { nowait: false }, 'confirm.select-ok');
  peers.scan(publisher, {
    confirm: (tag, multiple, isNack) => {
      const before = ledger.count;
      ledger.take(tag, multiple, isNack);
      // One confirm covers several publishes; without `multiple` it is the one it names.
      if (!multiple) confirmDelays.push(performance.now() - sentAt[tag - 1]!);
      else
        for (let at = before; at < ledger.count; at++) {
          confirmDelays.push(performance.now() - sentAt[at]!);
        }
    },
  });
  const properties = persistent ? { deliveryMode: 2 } : {};
  const cycle = new PublishCycle(
    [{ exchange: '', routingKey: queue, properties, stream: 0 }],
    BODY_BYTES,
  );
  const warmUp = await publishSteadily(publisher, cycle, sentAt, WARM_UP_MILLISECONDS);
  const costsOf = meter(broker);
  const sent = await publishSteadily(publisher, cycle, sentAt, seconds * 1_000);
  const costs = costsOf(sent - warmUp);
  await until(() => check.received >= cycle.published, patienceSeconds);
  if (persistent) await until(() => ledger.count >= cycle.published, patienceSeconds);
  await (await peers.open()).deleteQueue(queue);
  const measured = [delays.slice(warmUp), ...(persistent ? [confirmDelays.slice(warmUp)] : [])];
  return {
    values: measured.flatMap((values) => [percentile(values, 0.5), percentile(values, 0.99)]),
    ...costs,
    faults: { ...check.faults(cycle.published), nacked: ledger.nacks },
  };
}

/** A write a millisecond with what is due by then. Answers how many there have been in all. */
async function publishSteadily(
  peer: RawPeer,
  cycle: PublishCycle,
  sentAt: number[],
  milliseconds: number,
): Promise<number> {
  const from = performance.now();
  const before = cycle.published;
  for (let elapsed = 0; elapsed < milliseconds; elapsed = performance.now() - from) {
    const due = before + Math.floor((elapsed * MESSAGES_PER_SECOND) / 1_000) - cycle.published;
    if (due > 0) {
      const octets = cycle.take(due);
      const now = performance.now();
      while (sentAt.length < cycle.published) sentAt.push(now);
      peer.socket.write(octets);
    }
    await delay(1);
  }
  return cycle.published;
}

async function consume(
  peer: RawPeer,
  queue: string,
  { peers }: Setting,
  check: SequenceCheck,
  arrived: (number: number) => void,
): Promise<void> {
  let last = 0;
  let acked = 0;
  await peer.consume(queue, false, 1_000);
  peers.scan(
    peer,
    {
      deliver: (tag) => {
        last = tag;
      },
      body: (buffer, start) => {
        const number = buffer.readUInt32BE(start + 4);
        check.take(buffer.readUInt32BE(start), number);
        arrived(number);
      },
    },
    () => {
      if (last - acked < ACK_EVERY) return;
      acked = last;
      peer.socket.write(ackUpTo(last));
    },
  );
}
