import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '../wire/seeded-random.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { Progress, type Publication, Publisher, Reader, type Stage } from './actors.js';
import type { DiskEvent } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { checkTopology, emptyQueues, lookIntoQueues } from './inspection.js';
import type { ModelQueue } from './model.js';
import { ClosedError, type StreamClient } from './stream-client.js';
import { EXCHANGES, KEYS, QUEUES, TopologyModel } from './topology-model.js';
import { World } from './world.js';

/** Steps in one life of a broker. */
const STEPS_MAX = 120;
/** The most things that happen to the disk before a crash. */
const CRASH_EVENTS_MAX = 250;
/** Lives of a broker in one run. */
const LIVES = 4;

/** What a simulation has done, for the curious. */
export interface SimulationSummary {
  readonly published: number;
  readonly crashes: number;
  readonly cleanStops: number;
}

/**
 * Several lives of one broker: random clients on a disk that fails and loses power at random
 * moments, and after each life a look at what is left. Everything follows from the seed. Throws
 * what is wrong.
 */
export async function simulate(seed: number): Promise<SimulationSummary> {
  return await new Simulation(seed).run();
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #fileBytes: number;
  readonly #hasFaults: boolean;
  readonly #stage: Stage;
  readonly #topology = new TopologyModel();
  #lastId = 0;
  #content: readonly DiskEvent[] = [];
  #world: World | undefined;
  #operator: StreamClient | undefined;
  #publishers: Publisher[] = [];
  #readers: Reader[] = [];
  #crashes = 0;
  #cleanStops = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#fileBytes = this.#random.pick([2_048, 8_192, 65_536]);
    this.#hasFaults = this.#random.percent(40);
    const nextId = (): number => ++this.#lastId;
    this.#stage = { topology: this.#topology, progress: new Progress(), nextId, problems: [] };
  }

  async run(): Promise<SimulationSummary> {
    for (let life = 0; life < LIVES; life++) {
      const wasClean = await this.#live(life);
      await this.#check(wasClean);
    }
    return { published: this.#lastId, crashes: this.#crashes, cleanStops: this.#cleanStops };
  }

  /** One life; returns whether the broker was stopped, not killed. */
  async #live(life: number): Promise<boolean> {
    const disk = new FaultyFiles({
      seed: this.#random.bits(),
      content: this.#content,
      turnsMax: this.#random.pick([0, 1, 4]),
    });
    const isClean = this.#random.percent(20);
    const world = await World.open(disk, this.#random, this.#fileBytes);
    this.#world = world;
    try {
      await this.#connect(life);
      if (!isClean) disk.crashAfter(this.#random.below(CRASH_EVENTS_MAX), () => world.cut());
      if (this.#hasFaults) this.#planFaults(disk);
      for (let i = 0; i < STEPS_MAX && !disk.isDead; i++) {
        await this.#step();
        assert.deepEqual(this.#stage.problems, []);
      }
      if (isClean) {
        await this.#barrier();
        await world.close();
      }
    } catch (error) {
      if (!disk.isDead || !(error instanceof ClosedError)) throw withLog(error, world);
    }
    world.cut();
    checkLog(world);
    this.#content = disk.crash();
    if (isClean) this.#cleanStops++;
    else this.#crashes++;
    return isClean;
  }

  async #check(wasClean: boolean): Promise<void> {
    const disk = new FaultyFiles({ seed: this.#random.bits(), content: this.#content });
    const world = await World.open(disk, this.#random, this.#fileBytes);
    try {
      await lookIntoQueues(world, this.#topology, { wasClean });
      if (this.#topology.pending !== undefined || this.#random.percent(50)) {
        await emptyQueues(world, this.#topology);
        await checkTopology(world, this.#topology);
      }
      if (this.#random.percent(50)) await world.close();
    } catch (error) {
      throw withLog(error, world);
    }
    world.cut();
    checkLog(world);
    this.#content = disk.crash();
  }

  async #connect(life: number): Promise<void> {
    const world = this.#world!;
    this.#operator = await world.connect();
    this.#readers = [];
    this.#publishers = [];
    for (const name of ['one', 'two']) {
      const publisher = new Publisher(`${name} in life ${life}`, this.#stage);
      await publisher.connect(world);
      this.#publishers.push(publisher);
    }
    if (life === 0) {
      for (const [name] of QUEUES.slice(0, 2)) await this.#declareQueue(name);
      for (const [name, type] of EXCHANGES.slice(0, 1)) await this.#declareExchange(name, type);
    }
  }

  #planFaults(disk: FaultyFiles): void {
    for (let i = this.#random.below(3); i >= 0; i--) {
      disk.fail({
        call: this.#random.pick([
          'write',
          'write',
          'open',
          'rename',
          'sync',
          'syncDirectory',
          'read',
        ]),
        after: this.#random.below(40),
        times: 1 + this.#random.below(3),
        code: this.#random.pick(['EIO', 'ENOSPC', 'EMFILE']),
        share: this.#random.pick([0, 0.5, 1]),
      });
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const chance = random.below(100);
    if (chance < 45) this.#publish();
    else if (chance < 60) this.#settle();
    else if (chance < 66) await this.#read();
    else if (chance < 70) await this.#transact();
    else if (chance < 73) await this.#purge();
    else if (chance < 80) await this.#changeTopology();
    else if (chance < 82) await this.#readers.splice(random.below(4), 1)[0]?.leave(this.#world!);
    else if (chance < 84) this.#world!.clock.advance(1_000);
    else for (let i = random.below(6); i > 0; i--) await nextTurn();
  }

  #publish(): void {
    const publisher = this.#random.pick(this.#publishers);
    const burst = this.#random.percent(10) ? this.#random.below(40) : 1;
    for (let i = 0; i < burst; i++) publisher.publish(this.#publication());
  }

  #publication(): Publication {
    const random = this.#random;
    const names = QUEUES.map(([name]) => name);
    const exchange = random.pick(['', '', ...EXCHANGES.map(([name]) => name)]);
    const isThere = exchange === '' || this.#topology.exchanges.has(exchange);
    return {
      exchange: isThere ? exchange : '',
      key: random.pick(exchange === '' || !isThere ? names : KEYS),
      bytes: random.percent(3) ? random.below(20_000) : random.below(300),
      persistent: random.percent(85),
      priority: random.below(6),
    };
  }

  #settle(): void {
    if (this.#readers.length === 0) return;
    const reader = this.#random.pick(this.#readers);
    if (reader.heldCount === 0) return;
    const how = this.#random.pick(['ack', 'ack', 'ack', 'discard', 'requeue'] as const);
    reader.settle(this.#random.below(reader.heldCount), this.#random.percent(40), how);
  }

  async #read(): Promise<void> {
    const queue = this.#anyQueue();
    if (queue === undefined) return;
    const reader = new Reader(queue, this.#stage);
    await reader.connect(this.#world!);
    this.#readers.push(reader);
    if (this.#random.percent(50)) await reader.consume(this.#world!, 1 + this.#random.below(20));
    else for (let i = this.#random.below(5); i >= 0; i--) await reader.get(this.#world!);
  }

  async #transact(): Promise<void> {
    const queue = this.#anyQueue();
    if (queue === undefined) return;
    const world = this.#world!;
    const reader = new Reader(queue, this.#stage);
    await reader.connect(world);
    for (let i = this.#random.below(4); i > 0; i--) await reader.get(world);
    const count = this.#random.below(4);
    const publications = Array.from({ length: count }, () => this.#publication());
    const commits = this.#random.percent(80);
    await reader.transact(world, this.#random.below(reader.heldCount + 1), publications, commits);
  }

  async #purge(): Promise<void> {
    const queue = this.#anyQueue();
    if (queue === undefined) return;
    await this.#barrier();
    const ready = [...queue.copies.values()].filter(
      (copy) => copy.removed === 'no' && !this.#isHeld(copy.id, queue),
    );
    for (const copy of ready) copy.removed = 'maybe';
    await this.#world!.wait(this.#operator!.call('queue.purge', { queue: queue.name }));
    await this.#barrier();
    for (const copy of ready) copy.removed = this.#isHeld(copy.id, queue) ? 'no' : 'yes';
  }

  #isHeld(id: number, queue: ModelQueue): boolean {
    const copy = queue.copies.get(id)!;
    return this.#readers.some((reader) => reader.queue === queue && reader.holds(copy));
  }

  async #changeTopology(): Promise<void> {
    const random = this.#random;
    await this.#barrier();
    const [queue] = random.pick(QUEUES);
    const [exchange, type] = random.pick(EXCHANGES);
    const hasQueue = this.#topology.queues.has(queue);
    const hasExchange = this.#topology.exchanges.has(exchange);
    if (hasQueue && hasExchange && random.percent(60)) {
      await this.#changeBinding(exchange, queue, random.pick(KEYS));
    } else if (random.percent(50)) {
      if (!hasQueue) await this.#declareQueue(queue);
      else if (random.percent(50)) await this.#deleteQueue(queue);
    } else if (!hasExchange) await this.#declareExchange(exchange, type);
    else if (random.percent(30)) await this.#deleteExchange(exchange);
  }

  async #declareQueue(queue: string): Promise<void> {
    const maxPriority = QUEUES.find(([name]) => name === queue)?.[1] ?? 0;
    const args: WireArguments = maxPriority > 0 ? { 'x-max-priority': maxPriority } : {};
    const request = { queue, durable: true, arguments: args };
    await this.#change('queue.declare', request, () => this.#topology.declareQueue(queue));
  }

  async #deleteQueue(queue: string): Promise<void> {
    const leaving = this.#readers.filter((each) => each.queue.name === queue);
    this.#readers = this.#readers.filter((each) => !leaving.includes(each));
    for (const reader of leaving) await reader.leave(this.#world!);
    await this.#change('queue.delete', { queue }, () => this.#topology.deleteQueue(queue));
  }

  async #declareExchange(exchange: string, type: string): Promise<void> {
    const request = { exchange, type, durable: true };
    await this.#change('exchange.declare', request, () => this.#topology.exchanges.add(exchange));
  }

  async #deleteExchange(exchange: string): Promise<void> {
    const apply = (): void => this.#topology.deleteExchange(exchange);
    await this.#change('exchange.delete', { exchange }, apply);
  }

  async #changeBinding(exchange: string, queue: string, routingKey: string): Promise<void> {
    const request = { exchange, queue, routingKey };
    const topology = this.#topology;
    if (this.#random.percent(65)) {
      await this.#change('queue.bind', request, () => topology.bind(exchange, queue, routingKey));
    } else {
      const apply = (): void => topology.unbind(exchange, queue, routingKey);
      await this.#change('queue.unbind', request, apply);
    }
  }

  /** Asks for a change and notes it once it is answered; until then it may have happened or not. */
  async #change(what: string, request: WireArguments, apply: () => void): Promise<void> {
    const name = String(what.startsWith('exchange') ? request.exchange : request.queue);
    this.#topology.pending = { what, name, apply };
    await this.#world!.wait(this.#operator!.call(what, request));
    this.#topology.pending = undefined;
    apply();
  }

  /** Waits until the broker has taken in what everybody has sent. */
  async #barrier(): Promise<void> {
    for (const actor of [...this.#publishers, ...this.#readers])
      await actor.roundTrip(this.#world!);
  }

  #anyQueue(): ModelQueue | undefined {
    const queues = [...this.#topology.queues.values()];
    return queues.length === 0 ? undefined : this.#random.pick(queues);
  }
}

/** A power loss is no damage, and whatever fails is no bug of the broker's. */
function checkLog({ log }: World): void {
  const alarming = /^internal error|damaged|missing|ends here|InvariantError|TypeError|RangeError/;
  assert.deepEqual(
    log.filter((line) => alarming.test(line)),
    [],
  );
}

function withLog(error: unknown, world: World): Error {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new Error([text, 'The broker logged:', ...world.log].join('\n'));
}
