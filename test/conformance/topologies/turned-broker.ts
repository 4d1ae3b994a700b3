import type { TestContext } from 'node:test';
import { type RunningBroker, type StorageOptions, startBroker } from '@leveret/broker';
import { HandTurnedClock } from '../../simulation/hand-turned-clock.js';
import { RawConnection } from '../../wire/raw-connection.js';

/** A Leveret in this process whose time passes when it is told to: a month in a moment. */
export class TurnedBroker {
  readonly clock: HandTurnedClock;
  readonly #broker: RunningBroker;
  readonly #connections: RawConnection[] = [];

  private constructor(broker: RunningBroker, clock: HandTurnedClock) {
    this.#broker = broker;
    this.clock = clock;
  }

  /** Starts one that is closed after the test; with a clock of its own, if it is given none. */
  static async start(
    t: TestContext,
    clock: HandTurnedClock = new HandTurnedClock(),
    storage?: StorageOptions,
  ): Promise<TurnedBroker> {
    const running = await startBroker({ port: 0, clock, ...(storage ? { storage } : {}) });
    const broker = new TurnedBroker(running, clock);
    t.after(() => broker.close());
    return broker;
  }

  /** A connection with channel 1 open, ended with the broker. */
  async rawChannel(): Promise<RawConnection> {
    const raw = await RawConnection.handshake(this.#broker.port);
    this.#connections.push(raw);
    await raw.openChannel(1);
    return raw;
  }

  /** Lets time pass; what comes due on the way is done, at its time and in order. */
  pass(milliseconds: number): void {
    this.clock.advance(milliseconds);
  }

  /** May be called more than once. */
  async close(): Promise<void> {
    // The broker would wait for them by its clock, which nobody turns now.
    for (const raw of this.#connections) raw.destroy();
    await this.#broker.close();
  }
}
