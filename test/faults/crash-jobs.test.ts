import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bodyOf, idOf } from '../simulation/traffic/bodies.js';
import {
  ClosedError,
  type Received,
  type StreamClient,
} from '../simulation/traffic/stream-client.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { BrokerProcess } from './broker-process.js';

const KILLS = 15;
/** Small, so that there is much turning over. */
const FILE_BYTES = 65_536;
const LIFE_MILLISECONDS_MAX = 250;
const GROUPS = 40;
/** Longer than a start takes. */
const RETRY_MILLISECONDS = 1_000;
const PREFETCH = 20;

const JOBS = {
  queue: 'jobs',
  durable: true,
  arguments: {
    'x-group-by': 'property:correlation-id',
    'x-delayed-retry-type': 'returned',
    'x-delayed-retry-min': RETRY_MILLISECONDS,
  },
};

interface Job {
  readonly group: number;
  isConfirmed: boolean;
  isAcked: boolean;
  /** It has been given back, and the disk knows it: it must not come before. */
  notBefore: number;
}

/**
 * Jobs that are published, worked on and given back by a client, life after life of a broker that
 * is killed: those of a group one at a time, in their order, and none again before its time.
 */
class Jobs {
  readonly jobs = new Map<number, Job>();
  readonly #random = new SeededRandom(1);
  #client!: StreamClient;
  /** In this life: what was published, which job of a group is at work, what was given back. */
  #published: number[] = [];
  #atWork = new Map<number, number>();
  #returned: { readonly id: number; readonly at: number; readonly published: number }[] = [];

  /** Publishes and works; without `kills`, until nothing that was confirmed is left. */
  async live(broker: BrokerProcess, kills: boolean): Promise<void> {
    this.#published = [];
    this.#atWork = new Map();
    this.#returned = [];
    const lifetime = this.#random.below(LIFE_MILLISECONDS_MAX);
    const killing = kills ? delay(lifetime).then(() => broker.kill()) : undefined;
    try {
      const onDelivery = (delivery: Received): void => this.#work(delivery);
      const onConfirm = (tag: number, multiple: boolean): void => this.#confirmed(tag, multiple);
      this.#client = await broker.connect({ onConfirm, onDelivery });
      await broker.wait(this.#client.call('confirm.select'));
      await broker.wait(this.#client.call('queue.declare', JOBS));
      await broker.wait(this.#client.call('basic.qos', { prefetchCount: PREFETCH }));
      await broker.wait(this.#client.call('basic.consume', { queue: 'jobs' }));
      while (broker.isRunning && (kills || this.#isMissing())) {
        for (let i = kills ? this.#random.below(15) : 0; i > 0; i--) this.#publish();
        await broker.wait(this.#client.roundTrip());
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
    await killing;
  }

  #isMissing(): boolean {
    return [...this.jobs.values()].some(({ isConfirmed, isAcked }) => isConfirmed && !isAcked);
  }

  #publish(): void {
    const id = this.jobs.size + 1;
    const group = this.#random.below(GROUPS);
    this.jobs.set(id, { group, isConfirmed: false, isAcked: false, notBefore: 0 });
    this.#published.push(id);
    const body = bodyOf(id, this.#random.below(500));
    const properties = { deliveryMode: 2, correlationId: String(group) };
    this.#client.publish({ routingKey: 'jobs' }, body, properties);
  }

  #confirmed(tag: number, multiple: boolean): void {
    for (const id of this.#published.slice(multiple ? 0 : tag - 1, tag)) {
      this.jobs.get(id)!.isConfirmed = true;
    }
    // What this channel did before that publish is on the disk as well.
    const isOnDisk = (each: { readonly published: number }): boolean => each.published < tag;
    for (const { id, at } of this.#returned.filter(isOnDisk)) {
      this.jobs.get(id)!.notBefore = at + RETRY_MILLISECONDS;
    }
    this.#returned = this.#returned.filter((each) => !isOnDisk(each));
  }

  #work({ method, body }: Received): void {
    const id = idOf(body);
    const job = this.jobs.get(id)!;
    assert.equal(this.#atWork.get(job.group), undefined, `${id} and another of its group`);
    assert.ok(Date.now() >= job.notBefore, `${id} is early`);
    for (const [other, { group, isConfirmed, isAcked }] of this.jobs) {
      if (other === id) break;
      assert.ok(group !== job.group || !isConfirmed || isAcked, `${id} came before ${other}`);
    }
    this.#atWork.set(job.group, id);
    const deliveryTag = Number(method.args.deliveryTag);
    const isReturned = this.#random.percent(10);
    // It takes a while: others have to wait.
    setImmediate(() => {
      this.#atWork.delete(job.group);
      if (isReturned) {
        this.#returned.push({ id, at: Date.now(), published: this.#published.length });
        this.#client.send('basic.nack', { deliveryTag, requeue: true });
      } else {
        job.isAcked = true;
        this.#client.send('basic.ack', { deliveryTag });
      }
    });
  }
}

test('jobs keep the order of their groups and wait to be tried again, whatever is killed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-crash-'));
  const jobs = new Jobs();
  for (let lives = 0; lives <= KILLS; lives++) {
    const broker = await BrokerProcess.start(directory, FILE_BYTES);
    try {
      await jobs.live(broker, lives < KILLS);
      assert.doesNotMatch(broker.complaints, /damaged|missing|lost|Error/);
    } finally {
      broker.kill();
      await broker.gone();
    }
  }
  const all = [...jobs.jobs.values()];
  assert.ok(all.some(({ isConfirmed }) => isConfirmed));
  assert.ok(all.some(({ notBefore }) => notBefore > 0));
  assert.ok(all.every(({ isConfirmed, isAcked }) => isAcked || !isConfirmed));
  // Left behind for a look when something was wrong.
  await rm(directory, { recursive: true });
});
