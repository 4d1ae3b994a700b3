import type { ProcessCost } from './process-cost.js';

/** A broker that runs and can be measured. */
export interface Broker {
  readonly url: string;
  /** Its process; undefined for one that was there before. */
  readonly process: ProcessCost | undefined;
  /** From asking for it until it accepted connections. */
  readonly startMilliseconds: number;
  /** Where it keeps what has to survive it, if that is known. */
  readonly directory: string | undefined;
  /**
   * Kills it with SIGKILL and starts it again on what it has left. Only of one that this program
   * has started; this one is of no use then.
   */
  crash?(): Promise<Broker>;
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
        directory: undefined,
        stop: () => Promise.resolve(),
      }),
  };
}
