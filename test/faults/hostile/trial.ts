import { setTimeout as delay } from 'node:timers/promises';
import type { Attack, AttackReport } from './attack.js';
import { AttackProcess } from './attack-process.js';
import { AttackedBroker, type BrokerSettings } from './attacked-broker.js';
import { processorWait } from './processor-wait.js';
import { SteadyFlow, type Stretch } from './steady-flow.js';

/** How long and how hard. Times in milliseconds. */
export interface Pace {
  /** Before anything is measured: the broker's code is compiled as it runs. */
  readonly warming: number;
  /** What the attack is compared with. */
  readonly calm: number;
  readonly attack: number;
  /** Share of an attack's numbers: 1 for all. */
  readonly scale: number;
  /** Messages a second of the steady flow. */
  readonly rate: number;
}

/** What came of an attack. */
export interface Outcome {
  readonly calm: Stretch;
  readonly attacked: Stretch;
  readonly report: AttackReport;
  readonly published: number;
  /** Share of the time that the broker, or who measures it, had to wait for a processor. */
  readonly waiting: number;
  /** Octets: the process at its largest, and what messages may take of it. */
  readonly peakBytes: number;
  readonly memoryBytes: number;
  /** How often publishers were told to wait. */
  readonly blockedTimes: number;
  /** What should not have happened. Empty if the broker did well, its speed left aside. */
  readonly faults: readonly string[];
}

/** What a broker that is busy takes besides messages, in octets. */
export const BESIDES_MESSAGES_BYTES = 335_544_320;

/** What each channel may take besides, where a connection may have more of them than usual. */
const CHANNEL_BYTES = 8_192;

/** How large the process may become, in octets. */
export function processBytesMax({ broker }: Attack, memoryBytes: number): number {
  return memoryBytes + BESIDES_MESSAGES_BYTES + CHANNEL_BYTES * (broker?.channelsMax ?? 0);
}

/** How long an alarm may go on after its cause. A deadline, not a measure. */
const ALARM_MILLISECONDS = 30_000;

/** Attacks a broker of its own, with a steady flow through it all the time. */
export async function attackBroker(
  attack: Attack,
  tls: BrokerSettings['tls'],
  pace: Pace,
): Promise<Outcome> {
  const broker = await AttackedBroker.start(attack.broker ?? {}, tls);
  try {
    const flow = await SteadyFlow.start(broker.port, pace.rate);
    await delay(pace.warming);
    const calm = await flow.measure(delay(pace.calm));
    const hostile = new AttackProcess(attack, broker, pace.scale);
    const waitedBefore = waitedBy(broker);
    const from = performance.now();
    const attacked = await flow.measure(hostile.begun.then(() => delay(pace.attack)));
    const waiting = (waitedBy(broker) - waitedBefore) / (performance.now() - from);
    const report = await hostile.stop();
    await alarmOver(flow);
    const faults = [...faultsOf(attack, report)];
    const { blockedTimes } = flow;
    if (attack.raisesAlarm && blockedTimes === 0) faults.push('there was no alarm');
    if (!attack.raisesAlarm && blockedTimes > 0) faults.push('there was an alarm');
    const published = await flow.stop().catch((error: unknown) => {
      faults.push(String(error));
      return 0;
    });
    if (!broker.isRunning)
      return { ...NOTHING, calm, attacked, waiting, report, faults: ['it is gone'] };
    const { memoryBytes } = broker;
    const { peak: peakBytes } = broker.memory();
    if (peakBytes > processBytesMax(attack, memoryBytes)) faults.push('it took too much memory');
    faults.push(...broker.errors());
    const peak = { peakBytes, memoryBytes };
    return { calm, attacked, waiting, report, published, ...peak, blockedTimes, faults };
  } finally {
    await broker.stop();
  }
}

const NOTHING = { published: 0, peakBytes: 0, memoryBytes: 0, blockedTimes: 0 };

/** The longer of the two, in milliseconds; 0 when it is not known. */
function waitedBy(broker: AttackedBroker): number {
  return broker.isRunning ? Math.max(processorWait(broker.pid), processorWait(process.pid)) : 0;
}

/** Resolves when publishers go on again; that they do is seen by what arrives. */
async function alarmOver(flow: SteadyFlow): Promise<void> {
  const deadline = performance.now() + ALARM_MILLISECONDS;
  while (flow.isBlocked && flow.fault === undefined && performance.now() < deadline) {
    await delay(10);
  }
}

/** What an attack's end says against the broker. */
export function* faultsOf(attack: Attack, { failure, refusals }: AttackReport): Iterable<string> {
  if (failure !== undefined) yield `the attack failed: ${failure}`;
  for (const code of Object.keys(refusals).map(Number)) {
    if (!attack.refusals.includes(code)) yield `it was refused with ${code}`;
  }
}
