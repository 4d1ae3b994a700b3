import type { Broker } from '../brokers/broker.js';

/** Into how many parts a phase is cut, for its curve. */
const PARTS = 10;

/** How fast something went, and what the broker spent on it. */
export interface Pace {
  readonly perSecond: number;
  /** Processor time of the broker for each message; undefined where it is not known. */
  readonly cpuMicroseconds: number | undefined;
}

export interface Phase extends Pace {
  readonly name: string;
  readonly messages: number;
  readonly seconds: number;
  /** The most memory the broker held meanwhile, and what it held in the end, in MiB. */
  readonly peakMebibytes: number | undefined;
  readonly residentMebibytes: number | undefined;
  /** The same number of messages each: it says whether a message costs more when there are many. */
  readonly parts: readonly Pace[];
}

/** Measures something done to so many messages; `act` tells how far it has got. */
export async function measurePhase(
  name: string,
  broker: Broker,
  messages: number,
  act: (done: (count: number) => void) => Promise<void>,
): Promise<Phase> {
  broker.process?.forgetPeak();
  const moment = (): Moment => ({
    at: performance.now(),
    cpu: broker.process?.cpuMicroseconds() ?? Number.NaN,
  });
  const first = moment();
  const parts: Pace[] = [];
  let before = first;
  let counted = 0;
  await act((count) => {
    const due = Math.ceil(((parts.length + 1) * messages) / PARTS);
    if (count < due) return;
    const now = moment();
    parts.push(paceOf(count - counted, before, now));
    before = now;
    counted = count;
  });
  const last = moment();
  return {
    name,
    messages,
    seconds: (last.at - first.at) / 1_000,
    ...paceOf(messages, first, last),
    peakMebibytes: broker.process?.peakMebibytes(),
    residentMebibytes: broker.process?.residentMebibytes(),
    parts,
  };
}

interface Moment {
  readonly at: number;
  readonly cpu: number;
}

function paceOf(count: number, from: Moment, to: Moment): Pace {
  const cpu = (to.cpu - from.cpu) / count;
  return {
    perSecond: count / ((to.at - from.at) / 1_000),
    cpuMicroseconds: Number.isNaN(cpu) ? undefined : cpu,
  };
}
