import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { bodyOf, idOf } from '../simulation/traffic/bodies.js';
import { ClosedError, type StreamClient } from '../simulation/traffic/stream-client.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { BrokerProcess } from './broker-process.js';

const KILLS = 15;
/** Small, so that there is much turning over. */
const FILE_BYTES = 65_536;
const LIFE_MILLISECONDS_MAX = 250;
const DELAY_MILLISECONDS_MAX = 600;

interface Delayed {
  readonly notBefore: number;
  isConfirmed: boolean;
}

/** Messages that are delayed, and a client that publishes them until its broker is killed. */
class DelayedTraffic {
  readonly messages: Map<number, Delayed> = new Map();
  readonly #random = new SeededRandom(1);

  async live(broker: BrokerProcess): Promise<void> {
    const ids: number[] = [];
    const onConfirm = (tag: number, multiple: boolean): void => {
      for (const id of ids.slice(multiple ? 0 : tag - 1, tag)) {
        this.messages.get(id)!.isConfirmed = true;
      }
    };
    const killing = delay(this.#random.below(LIFE_MILLISECONDS_MAX)).then(() => broker.kill());
    try {
      const client = await broker.connect({ onConfirm });
      await declareAll(broker, client);
      while (broker.isRunning) {
        for (let i = this.#random.below(20); i >= 0; i--) ids.push(this.#publish(client));
        await broker.wait(client.roundTrip());
      }
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
    }
    await killing;
    await broker.gone();
  }

  #publish(client: StreamClient): number {
    const id = this.messages.size + 1;
    const milliseconds = this.#random.below(DELAY_MILLISECONDS_MAX);
    this.messages.set(id, { notBefore: Date.now() + milliseconds, isConfirmed: false });
    const properties = { deliveryMode: 2, headers: { 'x-delay': milliseconds } };
    client.publish({ exchange: 'later' }, bodyOf(id, this.#random.below(500)), properties);
    return id;
  }
}

async function declareAll(broker: BrokerProcess, client: StreamClient): Promise<void> {
  await broker.wait(client.call('confirm.select'));
  const args = { 'x-delayed-type': 'fanout' };
  const exchange = { exchange: 'later', type: 'x-delayed-message', durable: true, arguments: args };
  await broker.wait(client.call('exchange.declare', exchange));
  await broker.wait(client.call('queue.declare', { queue: 'due', durable: true }));
  await broker.wait(client.call('queue.bind', { queue: 'due', exchange: 'later' }));
}

test('delayed messages survive kill -9, and none is early or there twice', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-crash-'));
  const traffic = new DelayedTraffic();
  for (let kills = 0; kills < KILLS; kills++) {
    await traffic.live(await BrokerProcess.start(directory, FILE_BYTES));
  }
  const broker = await BrokerProcess.start(directory, FILE_BYTES);
  try {
    assert.doesNotMatch(broker.complaints, /damaged|missing|lost|Error/);
    const waiting = new Set(traffic.messages.keys());
    const client = await broker.connect();
    const isMissing = (): boolean =>
      [...waiting].some((id) => traffic.messages.get(id)!.isConfirmed);
    const end = Date.now() + 30_000;
    while (isMissing() && Date.now() < end) {
      const get = client.call('basic.get', { queue: 'due', noAck: true });
      const { method, body } = await broker.wait(get);
      if (method.name === 'basic.get-empty') continue;
      const id = idOf(body);
      assert.ok(waiting.delete(id), `message ${id} is there twice, or never was`);
      assert.ok(Date.now() >= traffic.messages.get(id)!.notBefore, `message ${id} is early`);
    }
    assert.ok(!isMissing(), 'a confirmed message is lost');
  } finally {
    broker.kill();
    await broker.gone();
  }
  // Left behind for a look when something was wrong.
  await rm(directory, { recursive: true });
});
