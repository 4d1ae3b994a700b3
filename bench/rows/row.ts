import { setTimeout as delay } from 'node:timers/promises';
import type { Broker, BrokerSource } from '../brokers/broker.js';
import type { Peers } from '../load/peers.js';
import type { Faults } from '../load/sequence-check.js';

/** One number of a row. */
export interface Figure {
  /** Behind the row's name in the table; empty if the row has but one. */
  readonly name: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
}

/** Where and how long a row measures. */
export interface Setting {
  readonly source: BrokerSource;
  readonly broker: Broker;
  readonly peers: Peers;
  readonly seconds: number;
  /** How long the last messages may take to arrive before they count as lost. */
  readonly patienceSeconds: number;
  /** For the names of queues and exchanges: no other measurement has it. */
  readonly id: string;
}

/** Processor time for each thing done, in microseconds, where it is known and means anything. */
export interface Costs {
  /** The broker's. */
  readonly cpuMicroseconds?: number | undefined;
  /** What generating the load took, in this process. */
  readonly generatorMicroseconds?: number | undefined;
}

export interface Measurement extends Costs {
  /** In the order of the row's figures; missing or not a number where one cannot be had. */
  readonly values: readonly number[];
  /** Only of rows that number their messages. */
  readonly faults?: Faults | undefined;
}

/** Where a row stands on a curve. */
export interface CurvePoint {
  readonly of: string;
  readonly count: number;
}

/** Something that is measured. */
export interface Row {
  readonly name: string;
  readonly figures: readonly Figure[];
  /** It starts a broker itself, and says nothing about the one that runs. */
  readonly isOfItsOwnBroker?: true;
  /** It is a point of a curve: the other points have more or less of something. */
  readonly point?: CurvePoint;
  /** It takes longer than its seconds: so many more are no fault. */
  readonly graceSeconds?: number;
  /** Undefined if this broker cannot be measured so. */
  measure(setting: Setting): Promise<Measurement | undefined>;
}

/** Time for things to settle before measuring begins, in milliseconds. */
export const WARM_UP_MILLISECONDS = 700;

/** How long it may take until anything has been done, in seconds. */
const BEGIN_SECONDS = 60;

/** How fast `count` rises during the setting's seconds, and what that costs. */
export async function rateOf(
  { broker, seconds }: Setting,
  count: () => number,
): Promise<{ readonly perSecond: number; readonly costs: Costs }> {
  if (!(await until(() => count() > 0, BEGIN_SECONDS))) throw new Error('nothing came');
  await delay(WARM_UP_MILLISECONDS);
  const at = performance.now();
  const from = count();
  const costsOf = meter(broker);
  await delay(seconds * 1_000);
  const done = count() - from;
  if (done === 0) throw new Error('nothing more came');
  const perSecond = done / ((performance.now() - at) / 1_000);
  return { perSecond, costs: costsOf(done) };
}

/** Begins to measure costs; the function returned says what they were for each of `done` things. */
export function meter(broker: Broker): (done: number) => Costs {
  const before = broker.process?.cpuMicroseconds() ?? Number.NaN;
  const ownBefore = process.cpuUsage();
  return (done) => {
    const spent = (broker.process?.cpuMicroseconds() ?? Number.NaN) - before;
    const own = process.cpuUsage(ownBefore);
    return {
      cpuMicroseconds: Number.isNaN(spent) ? undefined : spent / done,
      generatorMicroseconds: (own.user + own.system) / done,
    };
  };
}

/** Waits until `isSo`, but not longer than `seconds`; whether it came to be. */
export async function until(isSo: () => boolean, seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1_000;
  while (!isSo()) {
    if (performance.now() > deadline) return false;
    await delay(5);
  }
  return true;
}
