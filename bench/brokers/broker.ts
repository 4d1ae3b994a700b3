import type { ProcessCost } from './process-cost.js';

/** A broker that runs and can be measured. */
export interface Broker {
  readonly url: string;
  /** Its process; undefined for one that was there before. */
  readonly process: ProcessCost | undefined;
  /** From asking for it until it accepted connections. */
  readonly startMilliseconds: number;
  /** Ends it, if this program started it. */
  stop(): Promise<void>;
}

/** Something that brokers to measure come from. */
export interface BrokerSource {
  /** Heads its column. */
  readonly name: string;
  /** Whether `start` starts a new broker, or only tells of one that is there. */
  readonly startsItsOwn: boolean;
  start(): Promise<Broker>;
}

/** A broker that runs already, on this machine or another. */
export function runningBroker(name: string, url: string): BrokerSource {
  return {
    name,
    startsItsOwn: false,
    start: () =>
      Promise.resolve({
        url,
        process: undefined,
        startMilliseconds: 0,
        stop: () => Promise.resolve(),
      }),
  };
}
