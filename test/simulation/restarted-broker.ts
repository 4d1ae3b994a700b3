import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '../wire/seeded-random.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { NOTHING_MORE } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { HandTurnedClock } from './hand-turned-clock.js';
import type { Received, StreamClient } from './traffic/stream-client.js';
import { World } from './world.js';

/** Small, so that a few messages fill several files. */
const FILE_BYTES = 2_048;

/** How often one looks for a message that has to come. */
const TRIES_MAX = 1_000;

/** How a broker ends. */
export type Ending = 'power loss' | 'stop';

/**
 * A broker that is ended and started again, as often as one likes, on one disk.
 * Nothing survives a power loss but what was durable.
 */
export class RestartedBroker {
  clock: HandTurnedClock = new HandTurnedClock();
  #disk = new FaultyFiles();
  #world!: World;
  #client!: StreamClient;
  #settle: (isTaken: boolean) => void = () => {};

  static async start(): Promise<RestartedBroker> {
    const broker = new RestartedBroker();
    await broker.#open();
    return broker;
  }

  get world(): World {
    return this.#world;
  }

  /** Ends it, and starts it again when it was down for so many milliseconds. */
  async restart(how: Ending, downMilliseconds = 0): Promise<void> {
    if (how === 'stop') await this.#world.close();
    this.#world.cut();
    this.#disk = new FaultyFiles({ content: this.#disk.crash(NOTHING_MORE) });
    this.clock = new HandTurnedClock(this.clock.wallTime() + downMilliseconds);
    await this.#open();
  }

  /** Asks, and waits for the answer. */
  async call(name: string, args: WireArguments = {}): Promise<Received> {
    return await this.#world.wait(this.#client.call(name, args));
  }

  async declare(queue: string, args: WireArguments = {}): Promise<void> {
    await this.call('queue.declare', { queue, durable: true, arguments: args });
  }

  /** Publishes to a queue, persistently, and waits for the confirm; false if it is refused. */
  async publish(queue: string, body: string, properties: WireArguments = {}): Promise<boolean> {
    const settled = new Promise<boolean>((resolve) => {
      this.#settle = resolve;
    });
    const all = { deliveryMode: 2, ...properties };
    this.#client.publish({ routingKey: queue }, Buffer.from(body), all);
    return await this.#world.wait(settled);
  }

  /** Gets a queue's next message, unacknowledged unless told; undefined if there is none. */
  async get(queue: string, noAck = false): Promise<Received | undefined> {
    const answer = await this.call('basic.get', { queue, noAck });
    return answer.method.name === 'basic.get-empty' ? undefined : answer;
  }

  /** The next message of a queue that has some, or will have: it may have to be read before. */
  async takeOne(queue: string): Promise<Received> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const message = await this.get(queue, true);
      if (message !== undefined) return message;
      await nextTurn();
      this.clock.advance(1);
    }
    throw new Error(`no message in ${queue}`);
  }

  /** Gives a message back, or rejects it for good. */
  async reject({ method }: Received, requeue: boolean): Promise<void> {
    const deliveryTag = method.args.deliveryTag as number; // as the wire has it
    this.#client.send('basic.reject', { deliveryTag, requeue });
    await this.settled();
  }

  /** Waits until everything so far is on the disk. */
  async settled(): Promise<void> {
    await this.declare('last');
    await this.call('queue.delete', { queue: 'last' });
  }

  /** The bodies of all that is ready in a queue, taken from it. */
  async drain(queue: string): Promise<string[]> {
    const bodies: string[] = [];
    for (;;) {
      const message = await this.get(queue, true);
      if (message === undefined) return bodies;
      bodies.push(message.body.toString());
    }
  }

  async #open(): Promise<void> {
    const options = { fileBytes: FILE_BYTES, clock: this.clock };
    this.#world = await World.open(this.#disk, new SeededRandom(1), options);
    this.#client = await this.#world.connect({
      onConfirm: () => this.#settle(true),
      onRefusal: () => this.#settle(false),
    });
    await this.call('confirm.select');
  }
}
