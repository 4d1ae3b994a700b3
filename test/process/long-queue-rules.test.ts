import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type RunningBroker, startBroker } from '@leveret/broker';
import { RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';

/** More than a durable queue keeps in memory. */
const MESSAGES = 20_000;

/** What dies while it is on the disk alone is a dead letter like any other, and in order. */
describe('rules of a durable queue that is longer than memory', () => {
  let directory: string;
  let broker: RunningBroker;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'leveret-'));
    broker = await startBroker({ port: 0, storage: { directory } });
  });

  after(async () => {
    await broker.close();
    await rm(directory, { recursive: true });
  });

  /** A connection whose channel 1 has published so many messages to a queue with a dead end. */
  async function filled(t: TestContext, queue: string, table: WireArguments) {
    const raw = await RawConnection.handshake(broker.port);
    t.after(() => raw.destroy());
    await raw.openChannel(1);
    const dead = `dead-${queue}`;
    await raw.call(1, 'queue.declare', { queue: dead, durable: true });
    const to = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
    await raw.call(1, 'queue.declare', { queue, durable: true, arguments: { ...table, ...to } });
    for (let i = 0; i < MESSAGES; i++) {
      raw.publish(1, { routingKey: queue }, `${i}`, { deliveryMode: 2 });
    }
    return { raw, dead };
  }

  /** What a consumer gets of so many messages: their numbers. */
  async function consumed(raw: RawConnection, queue: string, count: number): Promise<number[]> {
    await raw.openChannel(2);
    await raw.call(2, 'basic.consume', { queue, noAck: true });
    const numbers: number[] = [];
    while (numbers.length < count) {
      numbers.push(Number((await raw.expectContent('basic.deliver', 2)).body));
    }
    return numbers;
  }

  const inOrder = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('x-message-ttl', async (t) => {
    const { raw, dead } = await filled(t, 'ttl', { 'x-message-ttl': 500 });
    await raw.untilReady(1, dead, MESSAGES);
    assert.deepEqual(await consumed(raw, dead, MESSAGES), inOrder(MESSAGES));
  });

  it('x-max-length', async (t) => {
    const limit = MESSAGES - 1_000;
    const { raw, dead } = await filled(t, 'length', { 'x-max-length': limit });
    await raw.untilReady(1, dead, MESSAGES - limit);
    await raw.untilReady(1, 'length', limit);
    assert.deepEqual(await consumed(raw, dead, MESSAGES - limit), inOrder(MESSAGES - limit));
  });

  it('what is rejected', async (t) => {
    const { raw, dead } = await filled(t, 'rejected', {});
    await raw.openChannel(3);
    await raw.call(3, 'basic.consume', { queue: 'rejected' });
    for (let i = 0; i < MESSAGES; i++) await raw.expectContent('basic.deliver', 3);
    raw.sendMethod(3, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: false });
    await raw.untilReady(1, dead, MESSAGES);
    assert.deepEqual(await consumed(raw, dead, MESSAGES), inOrder(MESSAGES));
  });
});
