import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, BrokerSource } from './brokers/broker.js';
import { Peers } from './load/peers.js';
import { targetOf } from './load/raw-peer.js';
import type { Measurement, Row } from './rows/row.js';

/** A row that takes so much longer than its seconds hangs, unless it says otherwise. */
const GRACE_SECONDS = 90;

/** How long the last messages may take to arrive before they count as lost. */
const PATIENCE_SECONDS = 10;

export interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  /** Told when a row is done. */
  progress(result: RowResult): void;
}

/** One round of one broker. */
export interface Sample {
  readonly measurement: Measurement;
  /** What the broker held afterwards, in MiB. */
  readonly residentMebibytes: number | undefined;
}

export interface RowResult {
  readonly row: Row;
  /** By broker, in the order they were given, then by round; a failure is its message. */
  readonly samples: readonly (readonly (Sample | string | undefined)[])[];
}

/**
 * Measures row by row and round by round, one broker after the other, so that what else the machine
 * does meets all of them alike. Every other round takes them in reverse order.
 */
export async function compare(
  sources: readonly BrokerSource[],
  rows: readonly Row[],
  settings: Settings,
): Promise<RowResult[]> {
  const brokers: Broker[] = [];
  try {
    for (const source of sources) brokers.push(await source.start());
    const results: RowResult[] = [];
    for (const row of rows) {
      const result = await measureRow(sources, brokers, row, settings);
      settings.progress(result);
      results.push(result);
    }
    return results;
  } finally {
    for (const broker of brokers) await broker.stop();
  }
}

async function measureRow(
  sources: readonly BrokerSource[],
  brokers: readonly Broker[],
  row: Row,
  settings: Settings,
): Promise<RowResult> {
  const samples: (Sample | string | undefined)[][] = sources.map(() => []);
  for (let round = 0; round < settings.rounds; round++) {
    const order = [...sources.keys()];
    if (round % 2 === 1) order.reverse();
    for (const at of order) {
      const sample = await measureOnce(sources[at]!, brokers[at]!, row, settings.seconds);
      samples[at]!.push(sample);
    }
  }
  return { row, samples };
}

async function measureOnce(
  source: BrokerSource,
  broker: Broker,
  row: Row,
  seconds: number,
): Promise<Sample | string | undefined> {
  const peers = new Peers(targetOf(broker.url));
  const id = `${process.pid}-${Date.now().toString(36)}`;
  const timer = new AbortController();
  const limit = seconds + (row.graceSeconds ?? GRACE_SECONDS);
  const tooLong = delay(limit * 1_000, undefined, { signal: timer.signal });
  try {
    const measurement = await Promise.race([
      row.measure({ source, broker, peers, seconds, patienceSeconds: PATIENCE_SECONDS, id }),
      peers.failure,
      tooLong.then(() => {
        throw new Error(`took longer than ${limit} s`);
      }),
    ]);
    if (measurement === undefined) return undefined;
    const cost = row.isOfItsOwnBroker === true ? undefined : broker.process;
    return { measurement, residentMebibytes: cost?.residentMebibytes() };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    timer.abort();
    peers.closeAll();
  }
}
