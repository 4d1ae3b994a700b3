import type { StreamClient, StreamClientEvents } from './stream-client.js';

/** A way to a broker, wherever it runs. */
export interface BrokerAccess {
  /** Connects a client. */
  connect(events?: Partial<StreamClientEvents>): Promise<StreamClient>;
  /** Waits for something, in whatever way time passes there; rejects when it takes too long. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Lets time pass, where it does not by itself. */
  letTimePass(milliseconds: number): void;
  /** The time of day there, in milliseconds since 1970. */
  wallTime(): number;
}
