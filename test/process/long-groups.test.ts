import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type RunningBroker, startBroker } from '@leveret/broker';
import { RawConnection } from '../wire/raw-connection.js';

/** More than a durable queue keeps in memory. */
const MESSAGES = 40_000;
const KEYS = 500;

const queue = 'orders';

async function channel(t: TestContext, broker: RunningBroker): Promise<RawConnection> {
  const raw = await RawConnection.handshake(broker.port);
  t.after(() => raw.destroy());
  await raw.openChannel(1);
  return raw;
}

/** Every other message is of the key `slow`. A text says which of its key it is. */
async function fill(raw: RawConnection): Promise<void> {
  const args = { 'x-group-by': 'property:correlation-id' };
  await raw.call(1, 'queue.declare', { queue, durable: true, arguments: args });
  for (let i = 0; i < MESSAGES / 2; i++) {
    const other = { key: `k${i % KEYS}`, number: Math.floor(i / KEYS) };
    for (const { key, number } of [{ key: 'slow', number: i }, other]) {
      const properties = { deliveryMode: 2, correlationId: key };
      raw.publish(1, { routingKey: queue }, `${number}`, properties);
    }
  }
  await raw.untilReady(1, queue, MESSAGES);
}

/** Works through so many messages, one of each key at a time, and checks their order. */
async function work(raw: RawConnection, count: number, next: Map<string, number>): Promise<void> {
  await raw.call(1, 'basic.qos', { prefetchCount: 50 });
  await raw.call(1, 'basic.consume', { queue });
  for (let i = 0; i < count; i++) {
    const { args, properties, body } = await raw.expectContent('basic.deliver', 1);
    const key = String(properties.correlationId);
    assert.equal(Number(body), next.get(key) ?? 0, key);
    next.set(key, Number(body) + 1);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(args.deliveryTag) });
  }
  raw.sendMethod(1, 'channel.close', { replyCode: 200 });
  for (;;) {
    const method = await raw.nextMethod();
    if (method.name === 'channel.close-ok') break;
    await raw.contentOf(method, 'basic.deliver', 1);
  }
  await raw.openChannel(1);
}

describe('a durable queue with groups that is longer than memory', () => {
  it('is worked through past a slow key, and goes on after a restart', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'leveret-'));
    let broker = await startBroker({ port: 0, storage: { directory } });
    t.after(async () => {
      await broker.close();
      await rm(directory, { recursive: true });
    });
    const slow = await channel(t, broker);
    await fill(slow);
    assert.equal((await slow.get(1, queue, false))?.body.toString(), '0');
    const next = new Map<string, number>();
    await work(await channel(t, broker), MESSAGES / 4, next);
    await broker.close();

    broker = await startBroker({ port: 0, storage: { directory } });
    const holder = await channel(t, broker);
    await holder.untilReady(1, queue, (3 * MESSAGES) / 4);
    const held = await holder.get(1, queue, false);
    assert.deepEqual([held?.body.toString(), held?.args.redelivered], ['0', true]);
    const worker = await channel(t, broker);
    await work(worker, MESSAGES / 4, next);
    await holder.untilReady(1, queue, MESSAGES / 2 - 1);
    holder.destroy();
    await work(worker, MESSAGES / 20, next);
    assert.equal(next.get('slow'), MESSAGES / 20);
  });
});
