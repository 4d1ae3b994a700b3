import assert from 'node:assert/strict';
import { SeededRandom } from '../wire/seeded-random.js';
import type { WireArguments } from '../wire/wire-codec.js';
import type { DiskEvent } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';
import { ClosedError, type StreamClient } from './traffic/stream-client.js';
import { World } from './world.js';

/** Lives of a broker in one run, and what clients do in each at most. */
const LIVES = 4;
const STEPS_MAX = 80;
const CRASH_EVENTS_MAX = 120;

const ON = { 'x-message-deduplication': true };
const WINDOW = { ...ON, 'x-cache-size': 100_000, 'x-cache-ttl': 86_400_000 };

/** Where duplicates are kept out: what is published to, and the queue it gets to. */
interface Place {
  readonly exchange: string;
  readonly queue: string;
  /** Whether a key counts only while its message is in the queue. */
  readonly whilePresent: boolean;
}

const PLACES: readonly Place[] = [
  { exchange: 'once', queue: 'behind-an-exchange', whilePresent: false },
  { exchange: '', queue: 'with-a-window', whilePresent: false },
  { exchange: '', queue: 'while-present', whilePresent: true },
];

/** What is known of a key at a place. */
interface Known {
  /** Whether somebody was told that its message, or a duplicate of it, is safe. */
  isConfirmed: boolean;
  /** Whether its message was acknowledged, and whether that is known to be on the disk. */
  removed: 'no' | 'maybe' | 'yes';
}

/** A publisher with confirms. */
interface Sender {
  readonly client: StreamClient;
  /** What waits for its confirm, by delivery tag. */
  readonly waiting: Map<number, Known>;
  sent: number;
  /** Told when nothing waits any more. */
  onConfirmed: () => void;
}

/**
 * Several lives of a broker whose publishers send everything again after each power loss, as they
 * should: nothing is in a queue twice for that, and nothing is missing. Throws what is wrong.
 */
export async function simulateDeduplication(seed: number): Promise<void> {
  await new Simulation(seed).run();
}

class Simulation {
  readonly #random: SeededRandom;
  readonly #fileBytes: number;
  readonly #known = new Map<Place, Map<string, Known>>();
  #content: readonly DiskEvent[] = [];
  #lastKey = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#fileBytes = this.#random.pick([2_048, 8_192, 65_536]);
    for (const place of PLACES) this.#known.set(place, new Map());
  }

  async run(): Promise<void> {
    for (let life = 0; life < LIVES; life++) {
      await this.#live();
      await this.#check();
    }
  }

  async #live(): Promise<void> {
    const disk = new FaultyFiles({
      seed: this.#random.bits(),
      content: this.#content,
      turnsMax: this.#random.pick([0, 1, 4]),
    });
    const isClean = this.#random.percent(20);
    const world = await this.#open(disk);
    try {
      // What one has published the other may repeat before the first is told that it is safe.
      const senders = [await connect(world), await connect(world)];
      await declareAll(world, senders[0]!.client);
      if (!isClean) disk.crashAfter(this.#random.below(CRASH_EVENTS_MAX), () => world.cut());
      for (let i = 0; i < STEPS_MAX && !disk.isDead; i++) {
        await this.#step(world, this.#random.pick(senders), senders);
      }
      if (isClean) await world.close();
    } catch (error) {
      if (!disk.isDead || !(error instanceof ClosedError)) throw error;
    }
    world.cut();
    this.#content = disk.crash();
  }

  async #step(world: World, sender: Sender, all: readonly Sender[]): Promise<void> {
    const place = this.#random.pick(PLACES);
    const known = this.#known.get(place)!;
    const action = this.#random.pick(['acknowledge', 'repeat', 'publish', 'publish']);
    if (action === 'acknowledge') {
      // All that was published is in the queue, so that nothing of it comes after this.
      for (const each of all) await confirmed(world, each);
      await this.#acknowledge(world, sender.client, place);
    } else if (action === 'publish' || known.size === 0) {
      this.#publish(sender, place, String(++this.#lastKey));
    } else {
      const key = this.#random.pick([...known.keys()].slice(-5));
      this.#publish(sender, place, key);
    }
    const next = this.#random.below(10);
    if (next < 3) await confirmed(world, sender);
    else if (next < 5) await world.wait(sender.client.roundTrip());
  }

  #publish(sender: Sender, place: Place, key: string): void {
    const all = this.#known.get(place)!;
    let known = all.get(key);
    if (known === undefined || (place.whilePresent && known.removed !== 'no')) {
      known = { isConfirmed: false, removed: 'no' };
      all.set(key, known);
    }
    const { exchange, queue: routingKey } = place;
    const body = Buffer.alloc(this.#random.pick([10, 10, 600]), ' ');
    body.write(key);
    const headers = { 'x-deduplication-header': key };
    sender.client.publish({ exchange, routingKey }, body, { deliveryMode: 2, headers });
    sender.waiting.set(++sender.sent, known);
  }

  async #acknowledge(world: World, client: StreamClient, place: Place): Promise<void> {
    const { queue } = place;
    const { method, body } = await world.wait(client.call('basic.get', { queue }));
    if (method.name === 'basic.get-empty') return;
    const key = keyOf(body);
    const known = this.#known.get(place)!.get(key);
    assert.ok(known !== undefined, `${queue}: ${key} was never published`);
    known.removed = 'maybe';
    client.send('basic.ack', { deliveryTag: Number(method.args.deliveryTag) });
    if (!this.#random.percent(50)) return;
    // What is asked for after it is on the disk, and so is it.
    await world.wait(client.call('exchange.declare', { exchange: 'note', durable: true }));
    await world.wait(client.call('exchange.delete', { exchange: 'note' }));
    known.removed = 'yes';
  }

  /** Looks at what is there; then sends everything again, and looks once more. */
  async #check(): Promise<void> {
    const disk = new FaultyFiles({ seed: this.#random.bits(), content: this.#content });
    const world = await this.#open(disk);
    const sender = await connect(world);
    const { client } = sender;
    await declareAll(world, client);
    for (const [place, known] of this.#known) {
      const survived = await keysIn(world, client, place.queue);
      for (const [key, { isConfirmed, removed }] of known) {
        const isLost = isConfirmed && removed === 'no' && !survived.has(key);
        assert.ok(!isLost, `${place.queue}: ${key} was confirmed, and is lost`);
      }
      await world.wait(client.call('basic.recover', { requeue: true }));
      for (const key of known.keys()) this.#publish(sender, place, key);
      await confirmed(world, sender);
      const found = await keysIn(world, client, place.queue);
      for (const [key, fact] of known) {
        checkKey(place, key, fact, found.get(key) ?? 0);
        fact.removed = found.has(key) ? 'no' : 'yes';
      }
      await world.wait(client.call('basic.recover', { requeue: true }));
    }
    if (this.#random.percent(50)) await world.close();
    world.cut();
    this.#content = disk.crash();
  }

  async #open(disk: FaultyFiles): Promise<World> {
    return await World.open(disk, this.#random, { fileBytes: this.#fileBytes });
  }
}

async function connect(world: World): Promise<Sender> {
  const waiting = new Map<number, Known>();
  const client = await world.connect({
    onConfirm: (last, multiple) => {
      for (const [tag, known] of waiting) {
        if (multiple ? tag > last : tag !== last) continue;
        known.isConfirmed = true;
        waiting.delete(tag);
      }
      if (waiting.size === 0) sender.onConfirmed();
    },
  });
  const sender: Sender = { client, waiting, sent: 0, onConfirmed: () => {} };
  await world.wait(client.call('confirm.select'));
  return sender;
}

/** Waits until everything that was sent is confirmed. */
async function confirmed(world: World, sender: Sender): Promise<void> {
  if (sender.waiting.size === 0) return;
  const done = new Promise<void>((resolve) => {
    sender.onConfirmed = resolve;
  });
  const dead = new Promise<void>((_resolve, reject) => {
    world.whenCut(() => reject(new ClosedError('cut')));
  });
  await world.wait(Promise.race([done, dead]));
}

function checkKey(place: Place, key: string, { removed }: Known, count: number): void {
  const what = `${place.queue}: ${key}, removed: ${removed}, is there ${count} times`;
  assert.ok(count <= 1, what);
  // Where a message has been removed for good, what is sent again is new, or is a duplicate.
  if (removed === 'no' || place.whilePresent) assert.equal(count, 1, what);
  else if (removed === 'yes') assert.equal(count, 0, what);
}

async function declareAll(world: World, client: StreamClient): Promise<void> {
  const declare = { durable: true };
  const queue = (name: string, args: WireArguments): Promise<unknown> =>
    world.wait(client.call('queue.declare', { ...declare, queue: name, arguments: args }));
  const type = 'fanout';
  const once = { ...declare, exchange: 'once', type, arguments: WINDOW };
  await world.wait(client.call('exchange.declare', once));
  await queue('behind-an-exchange', {});
  await queue('with-a-window', WINDOW);
  await queue('while-present', ON);
  const binding = { exchange: 'once', queue: 'behind-an-exchange' };
  await world.wait(client.call('queue.bind', binding));
}

/** How often each key is in a queue; the messages are not acknowledged. */
async function keysIn(
  world: World,
  client: StreamClient,
  queue: string,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (;;) {
    const { method, body } = await world.wait(client.call('basic.get', { queue }));
    if (method.name === 'basic.get-empty') return counts;
    counts.set(keyOf(body), (counts.get(keyOf(body)) ?? 0) + 1);
  }
}

function keyOf(body: Buffer): string {
  return body.toString().trim();
}
