import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { shortBehindLong } from './differences.js';

const broker = await brokerUnderTest();

async function withQueue(
  t: TestContext,
  table: WireArguments = {},
): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue, arguments: table });
  await raw.openChannel(9);
  await raw.call(9, 'confirm.select');
  return { raw, queue };
}

/** Publishes, and waits until the queue has it: RabbitMQ's counts lag behind otherwise. */
async function enqueue(
  raw: RawConnection,
  queue: string,
  body: string,
  properties: WireArguments = {},
): Promise<void> {
  raw.publish(9, { routingKey: queue }, body, properties);
  await raw.expectMethod('basic.ack', 9);
}

/** Publishes to a consumer that waits, so that it is delivered however slow the machine is. */
async function delivered(raw: RawConnection, channel: number, queue: string): Promise<void> {
  await raw.call(channel, 'basic.consume', { queue, consumerTag: 'waiting' });
  raw.publish(channel, { routingKey: queue }, 'taken');
  await raw.expectContent('basic.deliver', channel);
  await raw.call(channel, 'basic.cancel', { consumerTag: 'waiting' });
}

describe('time to live', { concurrency: true }, () => {
  test('x-message-ttl: a message goes by itself', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-message-ttl': 30 });
    await enqueue(raw, queue, 'message');
    await raw.untilReady(1, queue, 0);
    assert.equal(await raw.get(1, queue), undefined);
  });

  test('expiration: the same, for one message', async (t) => {
    const { raw, queue } = await withQueue(t);
    await enqueue(raw, queue, 'short', { expiration: '30' });
    await enqueue(raw, queue, 'stays');
    await raw.untilReady(1, queue, 1);
    assert.deepEqual(await raw.drain(1, queue), ['stays']);
  });

  for (const [name, ttl, expiration] of [
    ['the queue', 30, '600000'],
    ['the message', 600_000, '30'],
  ] as const) {
    test(`the smaller holds: that of ${name}`, async (t) => {
      const { raw, queue } = await withQueue(t, { 'x-message-ttl': ttl });
      await enqueue(raw, queue, 'message', { expiration });
      await raw.untilReady(1, queue, 0);
    });
  }

  test('0: what nobody waits for is gone', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-message-ttl': 0 });
    raw.publish(1, { routingKey: queue }, 'message');
    assert.equal(await raw.get(1, queue), undefined);
  });

  for (const noAck of [true, false]) {
    test(`0: who waits gets it${noAck ? '' : ', and has to acknowledge it'}`, async (t) => {
      const { raw, queue } = await withQueue(t, { 'x-message-ttl': 0 });
      await raw.call(1, 'basic.consume', { queue, noAck });
      raw.publish(1, { routingKey: queue }, '1');
      raw.publish(1, { routingKey: queue }, '2', { expiration: '0' });
      const first = await raw.expectContent('basic.deliver', 1);
      const second = await raw.expectContent('basic.deliver', 1);
      assert.deepEqual([first.body.toString(), second.body.toString()], ['1', '2']);
    });
  }

  test('one that is delivered does not expire, and is gone if it comes back late', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-message-ttl': 100 });
    await raw.openChannel(2);
    await delivered(raw, 2, queue);
    // It is time when the one that came after it is gone.
    await enqueue(raw, queue, 'after');
    await raw.untilReady(1, queue, 0);
    raw.sendMethod(2, 'basic.reject', { deliveryTag: 1, requeue: true });
    await raw.expectNothing(2);
    assert.equal(await raw.get(1, queue), undefined);
  });

  test("one that is acknowledged in time is nobody's business any more", async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-message-ttl': 50 });
    await delivered(raw, 1, queue);
    await enqueue(raw, queue, 'after');
    await raw.untilReady(1, queue, 0);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    await raw.expectNothing(1);
  });

  test('a short one behind a long one', async (t) => {
    const { raw, queue } = await withQueue(t);
    await enqueue(raw, queue, 'long', { expiration: '600000' });
    await enqueue(raw, queue, 'short', { expiration: '20' });
    await enqueue(raw, queue, 'short too', { expiration: '20' });
    const other = await withQueue(t, { 'x-message-ttl': 100 });
    await enqueue(other.raw, other.queue, 'clock');
    await other.raw.untilReady(1, other.queue, 0);
    const { args } = await raw.call(1, 'queue.declare', { queue, passive: true });
    assert.equal(args.messageCount, broker.expected(shortBehindLong));
  });

  test('in a priority queue', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-priority': 5, 'x-message-ttl': 30 });
    for (const priority of [1, 5, 3]) {
      await enqueue(raw, queue, `${priority}`, { priority });
    }
    await raw.untilReady(1, queue, 0);
  });
});

describe('x-expires', { concurrency: true }, () => {
  test('a queue nobody uses goes', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-expires': 60 });
    const watcher = await broker.rawChannel(t);
    const other = await withQueue(t, { 'x-message-ttl': 300 });
    await enqueue(other.raw, other.queue, 'clock');
    await other.raw.untilReady(1, other.queue, 0);
    // Deleting what is gone is fine, and tells that nothing was there.
    watcher.sendMethod(1, 'queue.declare', { queue, passive: true });
    const answer = await watcher.nextMethod();
    assert.equal(answer.name, 'channel.close');
    assert.equal(answer.args.replyCode, 404);
    await raw.expectNothing(1);
  });

  test('with a consumer it stays; the time runs from its cancellation', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-expires': 60 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    const clock = await withQueue(t, { 'x-message-ttl': 200 });
    await enqueue(clock.raw, clock.queue, 'clock');
    await clock.raw.untilReady(1, clock.queue, 0);
    await raw.call(1, 'queue.declare', { queue, passive: true });
    await raw.call(1, 'basic.cancel', { consumerTag: 'c' });
    await raw.call(1, 'queue.declare', { queue, passive: true });
  });
});
