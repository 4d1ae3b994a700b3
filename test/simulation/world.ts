import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Broker, type Logger, type StorageOptions, type VirtualHostControl } from '@leveret/broker';
import type { SeededRandom } from '../wire/seeded-random.js';
import type { FaultyFiles } from './faulty-files.js';
import { HandTurnedClock } from './hand-turned-clock.js';
import type { BrokerAccess } from './traffic/broker-access.js';
import { StreamClient, type StreamClientEvents, UNHEARD } from './traffic/stream-client.js';

/** Where the simulated brokers keep their data. */
export const DIRECTORY = '/data';

/** Turns of the event loop to wait before time is let pass, and before giving up. */
const TURNS_PER_TICK = 50;
const TICK_MILLISECONDS = 250;
const TURNS_MAX = 100_000;

/** How a broker is started. */
export interface WorldOptions extends Pick<StorageOptions, 'fileBytes' | 'memoryBytes' | 'sync'> {
  /** Default: a new one. */
  readonly clock?: HandTurnedClock;
}

/** A broker in this process on a disk that may fail, and the way to it. */
export class World implements BrokerAccess {
  readonly disk: FaultyFiles;
  readonly clock: HandTurnedClock;
  /** What the broker has logged at warn and above. */
  readonly log: string[];
  readonly #broker: Broker;
  readonly #clients = new Set<StreamClient>();
  #isCut = false;
  readonly #whenCut: (() => void)[] = [];

  private constructor(disk: FaultyFiles, clock: HandTurnedClock, broker: Broker, log: string[]) {
    this.disk = disk;
    this.clock = clock;
    this.#broker = broker;
    this.log = log;
  }

  /** Starts a broker on what is on a disk; at a certain time, if there is a clock. */
  static async open(
    disk: FaultyFiles,
    random: SeededRandom,
    { clock = new HandTurnedClock(), ...storage }: WorldOptions,
  ): Promise<World> {
    const log: string[] = [];
    const opening = Broker.open({
      clock,
      logger: loggerTo(log),
      random: { bytes: (bytes) => random.bytes(bytes) },
      storage: { directory: DIRECTORY, files: disk, ...storage },
    });
    const broker = await pump(opening, clock);
    return new World(disk, clock, broker, log);
  }

  /** Connects a client. */
  async connect(events: Partial<StreamClientEvents> = {}): Promise<StreamClient> {
    const [ours, theirs] = duplexPair();
    this.#broker.accept(theirs);
    const connecting = StreamClient.connect(ours, { ...UNHEARD, ...events });
    const client = await this.wait(connecting);
    this.#clients.add(client);
    if (this.#isCut) this.cut();
    return client;
  }

  /** What an operator sets. */
  get control(): VirtualHostControl {
    return this.#broker.vhost('/');
  }

  /** Pulls every plug. */
  cut(): void {
    this.#isCut = true;
    for (const client of this.#clients) client.cut();
    this.#clients.clear();
    for (const then of this.#whenCut.splice(0)) then();
  }

  /** Calls `then` when every plug is pulled; at once if they are. */
  whenCut(then: () => void): void {
    if (this.#isCut) then();
    else this.#whenCut.push(then);
  }

  /** Waits for something, and lets time pass meanwhile. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return pump(promise, this.clock);
  }

  letTimePass(milliseconds: number): void {
    this.clock.advance(milliseconds);
  }

  wallTime(): number {
    return this.clock.wallTime();
  }

  /** Stops the broker as an operator does. */
  async close(): Promise<void> {
    await this.wait(this.#broker.close());
  }
}

async function pump<T>(promise: Promise<T>, clock: HandTurnedClock): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  for (let turns = 1; !isDone; turns++) {
    await nextTurn();
    if (turns % TURNS_PER_TICK === 0) clock.advance(TICK_MILLISECONDS);
    assert.ok(turns < TURNS_MAX, 'nothing happens any more: something waits for ever');
  }
  return promise;
}

function loggerTo(log: string[]): Logger {
  const note = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    const { error } = fields ?? {};
    log.push(error instanceof Error ? `${message}: ${error.stack}` : message);
  };
  return { trace: () => {}, debug: () => {}, info: () => {}, warn: note, error: note };
}
