import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '../wire/seeded-random.js';
import type { DiskEvent } from './disk-state.js';
import { type Fault, FaultyFiles } from './faulty-files.js';
import { observe } from './observation.js';
import { bodyOf } from './traffic/bodies.js';
import type { StreamClient } from './traffic/stream-client.js';
import { World } from './world.js';

/** Small, so that a short history fills several. */
const FILE_BYTES = 4_608;

/** The state that a step has led to, and when. */
export interface Milestone {
  /** What can be seen from outside, as {@link observe} says it. */
  readonly state: string;
  /** How many things had happened to the disk when the step was asked for. */
  readonly begun: number;
  /** The same when it was known to be on the disk; undefined if nobody is told. */
  readonly answered: number | undefined;
}

/** Everything that happened to a disk, and what the broker had promised meanwhile. */
export interface History {
  readonly events: readonly DiskEvent[];
  /** In order: after a crash all up to some point are there, the promised ones in any case. */
  readonly milestones: readonly Milestone[];
  readonly fileBytes: number;
}

/** A few steps of each kind, one after the other, on a disk where this goes wrong. */
export async function recordHistory(...faults: readonly Fault[]): Promise<History> {
  return await new Recorder().record(faults);
}

class Recorder {
  readonly #disk = new FaultyFiles();
  readonly #random = new SeededRandom(1);
  #milestones: Milestone[] = [];
  #world: World | undefined;
  #client: StreamClient | undefined;
  #onConfirm: () => void = () => {};
  #lastId = 0;
  #lastTag = 0;

  async record(faults: readonly Fault[]): Promise<History> {
    this.#world = await World.open(this.#disk, this.#random, {
      fileBytes: FILE_BYTES,
    });
    this.#milestones.push({ state: await this.#state(), begun: 0, answered: undefined });
    for (const fault of faults) this.#disk.fail(fault);
    const onConfirm = (tag: number): void => {
      if (tag === this.#lastTag) this.#onConfirm();
    };
    this.#client = await this.#world.connect({ onConfirm });
    await this.#world.wait(this.#client.call('confirm.select'));
    await this.#declareAll();
    for (let i = 0; i < 4; i++) await this.#publish('', 'q0', 40);
    for (let i = 0; i < 4; i++) await this.#publish('fan', '', 300 * i);
    await this.#acknowledge('q1', 3);
    await this.#publish('', 'urgent', 100);
    await this.#transact('q0', 2, ['q0', 'q1', 'urgent']);
    for (let i = 0; i < 3; i++) await this.#publish('fan', '', 900);
    await this.#ask('queue.purge', { queue: 'q1' });
    await this.#ask('queue.unbind', { queue: 'q1', exchange: 'fan', routingKey: '' });
    await this.#ask('queue.delete', { queue: 'q0' });
    await this.#ask('queue.declare', { queue: 'q0', durable: true });
    for (let i = 0; i < 3; i++) await this.#publish('', 'q0', 30);
    await this.#ask('exchange.delete', { exchange: 'fan' });
    await this.#acknowledge('q0', 1);
    for (let i = 0; i < 3; i++) await this.#publish('', 'urgent', 1_000);
    await this.#rejectAll();
    this.#world.cut();
    return { events: this.#disk.events, milestones: this.#milestones, fileBytes: FILE_BYTES };
  }

  async #declareAll(): Promise<void> {
    await this.#ask('queue.declare', { queue: 'q0', durable: true });
    await this.#ask('queue.declare', { queue: 'q1', durable: true });
    const args = { 'x-max-priority': 3 };
    await this.#ask('queue.declare', { queue: 'urgent', durable: true, arguments: args });
    await this.#ask('exchange.declare', { exchange: 'fan', type: 'fanout', durable: true });
    await this.#ask('queue.bind', { queue: 'q0', exchange: 'fan', routingKey: '' });
    await this.#ask('queue.bind', { queue: 'q1', exchange: 'fan', routingKey: '' });
  }

  async #ask(...[name, args]: Parameters<StreamClient['call']>): Promise<void> {
    await this.#step(() => this.#client!.call(name, args), true);
  }

  async #publish(exchange: string, routingKey: string, bytes: number): Promise<void> {
    await this.#step(() => {
      const id = ++this.#lastId;
      this.#lastTag++;
      const properties = { deliveryMode: 2, priority: id % 5 };
      this.#client!.publish({ exchange, routingKey }, bodyOf(id, bytes), properties);
      return new Promise<void>((resolve) => {
        this.#onConfirm = resolve;
      });
    }, true);
  }

  /** Acknowledges a queue's first messages, one by one; nobody is told when that is durable. */
  async #acknowledge(queue: string, count: number): Promise<void> {
    const client = await this.#world!.connect();
    for (let i = 0; i < count; i++) {
      await this.#world!.wait(client.call('basic.get', { queue }));
      await this.#step(async () => {
        client.send('basic.ack', { deliveryTag: i + 1 });
        await client.roundTrip();
      }, false);
    }
    client.cut();
  }

  /** Messages come back, and die of it or are rejected; nobody is told when that is durable. */
  async #rejectAll(): Promise<void> {
    const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'q1' };
    const limited = { ...args, 'x-delivery-limit': 1 };
    await this.#ask('queue.declare', { queue: 'mortal', durable: true, arguments: limited });
    for (let i = 0; i < 3; i++) await this.#publish('', 'mortal', 50);
    const client = await this.#world!.connect();
    for (const requeue of [true, true, true, false]) {
      const { method } = await this.#world!.wait(client.call('basic.get', { queue: 'mortal' }));
      const deliveryTag = method.args.deliveryTag as number; // as the wire has it
      await this.#step(async () => {
        client.send('basic.nack', { deliveryTag, requeue });
        await client.roundTrip();
      }, false);
    }
    client.cut();
  }

  /** Acknowledges some messages of a queue, and publishes to others, in one. */
  async #transact(queue: string, count: number, to: readonly string[]): Promise<void> {
    const client = await this.#world!.connect();
    await this.#world!.wait(client.call('tx.select'));
    for (let i = 0; i < count; i++) {
      await this.#world!.wait(client.call('basic.get', { queue }));
      client.send('basic.ack', { deliveryTag: i + 1 });
    }
    for (const routingKey of to) {
      client.publish({ routingKey }, bodyOf(++this.#lastId, 200), { deliveryMode: 2 });
    }
    await this.#step(() => client.call('tx.commit'), true);
    client.cut();
  }

  async #step(action: () => Promise<unknown>, isAnswered: boolean): Promise<void> {
    const begun = this.#disk.events.length;
    await this.#world!.wait(action());
    const answered = isAnswered ? this.#disk.events.length : undefined;
    this.#milestones.push({ state: await this.#state(), begun, answered });
  }

  /** What a start would find now if everything were on the disk by then. */
  async #state(): Promise<string> {
    let { length } = this.#disk.events;
    // The disk is given the time to finish: nothing is asked of it.
    for (let turns = 0; turns < 20; turns++) {
      await nextTurn();
      this.#world?.clock.advance(100);
      if (this.#disk.events.length !== length) turns = 0;
      length = this.#disk.events.length;
    }
    return await observe(new FaultyFiles({ content: [...this.#disk.events] }), FILE_BYTES);
  }
}
