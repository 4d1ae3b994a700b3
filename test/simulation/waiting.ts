import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SeededRandom } from '../wire/seeded-random.js';
import type { DiskEvent } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { HandTurnedClock } from './hand-turned-clock.js';
import { bodyOf, idOf } from './traffic/bodies.js';
import { ClosedError, type StreamClient } from './traffic/stream-client.js';
import { World } from './world.js';

const LIVES = 4;
const STEPS_MAX = 80;
/** The most things that happen to the disk before a crash. */
const CRASH_EVENTS_MAX = 120;
const DELAY_MILLISECONDS_MAX = 20_000;
const RETRY_MILLISECONDS = 5_000;
/** After that everything is due. */
const LATER_MILLISECONDS = 60_000;
/** How often queues that ought to hold something are asked for it. */
const ASKS_MAX = 200;

const EXCHANGE = 'later';
const QUEUES = ['due', 'jobs'] as const;

/** A message, and where it may be. */
interface Known {
  readonly queue: (typeof QUEUES)[number];
  /** Wall time before which nobody may get it. */
  notBefore: number;
  isConfirmed: boolean;
  /** Whether it was acknowledged; what was may come back after a crash. */
  isAcknowledged: boolean;
}

/**
 * Messages that wait, for their time and to be tried again, in several lives of a broker on a disk
 * that loses power and fails at random moments: none is early, lost, or there twice. Everything
 * follows from the seed. Throws what is wrong.
 */
export async function simulateWaiting(seed: number): Promise<void> {
  await new Waiting(seed).run();
}

class Waiting {
  readonly #random: SeededRandom;
  readonly #options: { readonly fileBytes: number; readonly memoryBytes: number };
  readonly #known = new Map<number, Known>();
  /** Since the first life began, in milliseconds; between two nobody is there. */
  #elapsed = 0;
  #content: readonly DiskEvent[] = [];
  #lastId = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const fileBytes = this.#random.pick([2_048, 8_192, 65_536]);
    this.#options = { fileBytes, memoryBytes: this.#random.pick([1, 1_048_576]) };
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) await this.#live();
    await this.#checkAll();
  }

  /** One life, which ends with a power loss. */
  async #live(): Promise<void> {
    const disk = this.#disk();
    const world = await this.#open(disk);
    try {
      const published: number[] = [];
      const onConfirm = (tag: number, multiple: boolean): void => {
        const first = multiple ? 0 : tag - 1;
        for (const id of published.slice(first, tag)) this.#known.get(id)!.isConfirmed = true;
      };
      const client = await world.connect({ onConfirm });
      await declareAll(world, client);
      if (this.#random.percent(30)) {
        const call = this.#random.pick(['write', 'read', 'open', 'sync'] as const);
        disk.fail({ call, after: this.#random.below(20), code: 'EIO' });
      }
      disk.crashAfter(this.#random.below(CRASH_EVENTS_MAX), () => world.cut());
      for (let i = 0; i < STEPS_MAX && !disk.isDead; i++) {
        const chance = this.#random.below(100);
        if (chance < 45) published.push(this.#publish(world, client));
        else if (chance < 70) await this.#take(world, client);
        else if (chance < 85) world.letTimePass(this.#random.below(4_000));
        else for (let turns = this.#random.below(8); turns > 0; turns--) await nextTurn();
      }
    } catch (error) {
      if (!disk.isDead || !(error instanceof ClosedError)) throw error;
    }
    this.#end(world, disk);
  }

  /** After everything has fallen due each message is there once, if it has to be. */
  async #checkAll(): Promise<void> {
    this.#elapsed += LATER_MILLISECONDS;
    const disk = this.#disk();
    const world = await this.#open(disk);
    const client = await world.connect();
    await declareAll(world, client);
    for (const queue of QUEUES) {
      const found = new Set<number>();
      const isMissing = (): boolean =>
        [...this.#known].some(([id, each]) => mustBeIn(each, queue) && !found.has(id));
      for (let asks = 0; asks < ASKS_MAX && (asks === 0 || isMissing()); asks++) {
        for (const id of await drain(world, client, queue)) {
          assert.ok(!found.has(id), `message ${id} is in ${queue} twice`);
          assert.equal(this.#known.get(id)?.queue, queue, `message ${id} is in ${queue}`);
          found.add(id);
        }
      }
      const lost = [...this.#known].filter(([id, each]) => mustBeIn(each, queue) && !found.has(id));
      assert.deepEqual(lost, [], `confirmed, and not in ${queue}`);
    }
    this.#end(world, disk);
  }

  /** Publishes to the exchange that delays, or to the queue that tries again. */
  #publish(world: World, client: StreamClient): number {
    const id = ++this.#lastId;
    const queue = this.#random.pick(QUEUES);
    const body = bodyOf(id, this.#random.below(300));
    const now = world.clock.wallTime();
    const milliseconds = this.#random.below(DELAY_MILLISECONDS_MAX);
    const notBefore = queue === 'due' ? now + milliseconds : now;
    const known: Known = { queue, notBefore, isConfirmed: false, isAcknowledged: false };
    this.#known.set(id, known);
    const properties = { deliveryMode: 2, headers: { 'x-delay': milliseconds } };
    if (queue === 'due') client.publish({ exchange: EXCHANGE }, body, properties);
    else client.publish({ routingKey: queue }, body, { deliveryMode: 2 });
    return id;
  }

  /** Takes a message, and acknowledges it or lets it be tried again. */
  async #take(world: World, client: StreamClient): Promise<void> {
    const queue = this.#random.pick(QUEUES);
    const { method, body } = await world.wait(client.call('basic.get', { queue }));
    if (method.name === 'basic.get-empty') return;
    const id = idOf(body);
    const known = this.#known.get(id);
    const now = world.clock.wallTime();
    assert.ok(known !== undefined, `message ${id} was never published`);
    assert.ok(now >= known.notBefore, `message ${id} came ${known.notBefore - now} ms too early`);
    const deliveryTag = Number(method.args.deliveryTag);
    if (queue === 'due' || this.#random.percent(30)) {
      known.isAcknowledged = true;
      client.send('basic.ack', { deliveryTag });
      return;
    }
    client.send('basic.nack', { deliveryTag, requeue: this.#random.percent(50) });
    // What follows in the journal is answered: so is this on the disk, and holds after a crash.
    await world.wait(client.call('exchange.declare', { exchange: `x${id}`, ...DURABLE }));
    await world.wait(client.call('exchange.delete', { exchange: `x${id}` }));
    known.notBefore = now + RETRY_MILLISECONDS;
  }

  #disk(): FaultyFiles {
    const turnsMax = this.#random.pick([0, 1, 4]);
    return new FaultyFiles({ seed: this.#random.bits(), content: this.#content, turnsMax });
  }

  async #open(disk: FaultyFiles): Promise<World> {
    const clock = new HandTurnedClock();
    clock.advance(this.#elapsed);
    return await World.open(disk, this.#random, { ...this.#options, clock });
  }

  #end(world: World, disk: FaultyFiles): void {
    world.cut();
    const alarming = /^internal error|damaged|missing|ends here|InvariantError|TypeError/;
    assert.deepEqual(
      world.log.filter((line) => alarming.test(line)),
      [],
    );
    this.#elapsed = world.clock.now() + this.#random.below(8_000);
    this.#content = disk.crash();
  }
}

const DURABLE = { type: 'fanout', durable: true };

function mustBeIn(known: Known, queue: string): boolean {
  return known.queue === queue && known.isConfirmed && !known.isAcknowledged;
}

async function declareAll(world: World, client: StreamClient): Promise<void> {
  await world.wait(client.call('confirm.select'));
  const type = 'x-delayed-message';
  const delayed = { exchange: EXCHANGE, type, arguments: { 'x-delayed-type': 'fanout' } };
  await world.wait(client.call('exchange.declare', { ...delayed, durable: true }));
  const retry = {
    'x-retry-delay': RETRY_MILLISECONDS,
    'x-retry-delay-multiplier': 1,
    'x-retry-max-count': 1_000,
  };
  for (const queue of QUEUES) {
    const args = queue === 'jobs' ? retry : {};
    await world.wait(client.call('queue.declare', { queue, durable: true, arguments: args }));
  }
  await world.wait(client.call('queue.bind', { queue: 'due', exchange: EXCHANGE, routingKey: '' }));
}

/** Takes all that is ready. */
async function drain(world: World, client: StreamClient, queue: string): Promise<number[]> {
  const ids: number[] = [];
  for (;;) {
    const { method, body } = await world.wait(client.call('basic.get', { queue, noAck: true }));
    if (method.name === 'basic.get-empty') break;
    ids.push(idOf(body));
  }
  // What is due is read from the disk meanwhile.
  world.letTimePass(500);
  for (let turns = 0; turns < 50; turns++) await nextTurn();
  return ids;
}
