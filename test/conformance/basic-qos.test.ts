import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { connectionClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

/** A channel and a queue of ten messages, 1 to 10. */
async function tenMessages(t: TestContext): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  for (let body = 1; body <= 10; body++) raw.publish(1, { routingKey: queue }, String(body));
  await raw.untilReady(1, queue, 10);
  return { raw, queue };
}

/** Expects so many deliveries on channel 1, returning consumer tag and body of each. */
async function deliveries(raw: RawConnection, count: number): Promise<string[]> {
  const received: string[] = [];
  while (received.length < count) {
    const { args, body } = await raw.expectContent('basic.deliver', 1);
    received.push(`${args.consumerTag}${body.toString()}`);
  }
  return received;
}

/** Proves that no consumer was given more: basic.get finds the next message in the queue. */
async function nextInQueue(raw: RawConnection, queue: string): Promise<string | undefined> {
  return (await raw.get(1, queue))?.body.toString();
}

describe('basic.qos', { concurrency: true }, () => {
  test('a consumer holds so many at most, and gets one for each it settles', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 3 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    assert.deepEqual(await deliveries(raw, 3), ['c1', 'c2', 'c3']);
    assert.equal(await nextInQueue(raw, queue), '4');
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 2 });
    assert.deepEqual(await deliveries(raw, 1), ['c5']);
    raw.sendMethod(1, 'basic.reject', { deliveryTag: 1, requeue: false });
    assert.deepEqual(await deliveries(raw, 1), ['c6']);
    assert.equal(await nextInQueue(raw, queue), '7');
  });

  test('settling several at once frees them all', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 4 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    await deliveries(raw, 4);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 3, multiple: true });
    assert.deepEqual(await deliveries(raw, 3), ['c5', 'c6', 'c7']);
    assert.equal(await nextInQueue(raw, queue), '8');
  });

  test('0 is no limit', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 0 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    await deliveries(raw, 10);
  });

  test('applies to consumers that start after it', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 2 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'a' });
    assert.deepEqual(await deliveries(raw, 2), ['a1', 'a2']);
    await raw.call(1, 'basic.qos', { prefetchCount: 3 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'b' });
    assert.deepEqual(await deliveries(raw, 3), ['b3', 'b4', 'b5']);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    assert.deepEqual(await deliveries(raw, 1), ['a6']);
    assert.equal(await nextInQueue(raw, queue), '7');
  });

  test('counts for each consumer of a channel by itself', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 2 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'a' });
    assert.deepEqual(await deliveries(raw, 2), ['a1', 'a2']);
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'b' });
    assert.deepEqual(await deliveries(raw, 2), ['b3', 'b4']);
    assert.equal(await nextInQueue(raw, queue), '5');
  });

  test('global: counts for the channel, at once', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 3, global: true });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'a' });
    assert.deepEqual(await deliveries(raw, 3), ['a1', 'a2', 'a3']);
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'b' });
    assert.equal(await nextInQueue(raw, queue), '4');
    await raw.call(1, 'basic.qos', { prefetchCount: 5, global: true });
    assert.equal((await deliveries(raw, 2)).length, 2);
    assert.equal(await nextInQueue(raw, queue), '7');
  });

  test('global: 0 lifts the limit', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 1, global: true });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    await deliveries(raw, 1);
    await raw.call(1, 'basic.qos', { prefetchCount: 0, global: true });
    await deliveries(raw, 9);
  });

  test('not global: lifts the limit of the channel as well', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 1, global: true });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    await deliveries(raw, 1);
    raw.sendMethod(1, 'basic.qos', { prefetchCount: 1, global: false });
    const seen: string[] = [];
    while (seen.length < 10) {
      const method = await raw.nextMethod();
      seen.push(method.name);
      if (method.name === 'basic.deliver') await raw.contentOf(method, 'basic.deliver', 1);
    }
    assert.equal(seen.filter((name) => name === 'basic.deliver').length, 9);
  });

  test('both: the tighter of the two holds', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 2, global: false });
    await raw.call(1, 'basic.qos', { prefetchCount: 3, global: true });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'a' });
    assert.deepEqual(await deliveries(raw, 2), ['a1', 'a2']);
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'b' });
    assert.deepEqual(await deliveries(raw, 1), ['b3']);
    assert.equal(await nextInQueue(raw, queue), '4');
  });

  test('does not hold consumers without acknowledgement, nor do these count', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 1, global: true });
    await raw.call(1, 'basic.qos', { prefetchCount: 1 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'n', noAck: true });
    await deliveries(raw, 10);
    await raw.call(1, 'basic.cancel', { consumerTag: 'n' });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'a' });
    raw.publish(1, { routingKey: queue }, '11');
    assert.deepEqual(await deliveries(raw, 1), ['a11']);
  });

  test('what basic.get holds does not count', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 1 });
    await raw.get(1, queue, false);
    await raw.get(1, queue, false);
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    assert.deepEqual(await deliveries(raw, 1), ['c3']);
    assert.equal(await nextInQueue(raw, queue), '4');
  });

  test('what was requeued by its consumer counts no longer', async (t) => {
    const { raw, queue } = await tenMessages(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 1 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    assert.deepEqual(await deliveries(raw, 1), ['c1']);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 1, requeue: true });
    assert.deepEqual(await deliveries(raw, 1), ['c1']);
  });

  test('a prefetch size is 540', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'basic.qos', { prefetchSize: 10 });
    await raw.expectClose(0, connectionClose(540, 'prefetch_size!=0 (10)', 'basic.qos'));
  });

  test('amqplib: workers with prefetch 1 share what takes them long', async (t) => {
    const connection = await broker.amqplib(t);
    const publisher = await connection.createChannel();
    const queue = broker.queueName();
    await publisher.assertQueue(queue, { durable: false });
    const quick = await connection.createChannel();
    const stuck = await connection.createChannel();
    for (const channel of [quick, stuck]) await channel.prefetch(1);
    const kept: string[] = [];
    const done: string[] = [];
    await stuck.consume(queue, (message) => kept.push(String(message?.content)));
    const all = new Promise<void>((resolve) => {
      void quick.consume(queue, (message) => {
        done.push(String(message?.content));
        quick.ack(message!);
        if (done.length === 9) resolve();
      });
    });
    for (let body = 1; body <= 10; body++) publisher.sendToQueue(queue, Buffer.from(String(body)));
    await all;
    assert.equal(kept.length, 1);
  });
});
