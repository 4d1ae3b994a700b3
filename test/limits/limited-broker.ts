import { after } from 'node:test';
import { type Logger, type RunningBroker, type StartOptions, startBroker } from '@leveret/broker';
import { BrokerUnderTest } from '../conformance/broker-under-test.js';

/** A Leveret whose limits are the test's. */
export interface LimitedBroker {
  readonly broker: BrokerUnderTest;
  /** What it has logged as a warning or an error, the latest last. */
  readonly logged: string[];
}

// After the file's last test: when they stop, nobody is to be connected any more.
const brokers: RunningBroker[] = [];
after(() => Promise.all(brokers.map((broker) => broker.close())));

/** Starts a broker of the test's own: no other has its limits set by who tests it. */
export async function limitedBroker(
  limits: StartOptions['limits'],
  options: StartOptions = {},
): Promise<LimitedBroker> {
  const logged: string[] = [];
  const ignore = (): void => {};
  const note = (text: string): void => void logged.push(text);
  const logger: Logger = { trace: ignore, debug: ignore, info: ignore, warn: note, error: note };
  const running = await startBroker({ port: 0, logger, ...options, ...(limits && { limits }) });
  brokers.push(running);
  return { broker: new BrokerUnderTest(running.url, false, true), logged };
}
