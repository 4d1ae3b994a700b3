import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('basic.cancel by the client', { concurrency: true }, () => {
  test('ends the deliveries; what is outstanding stays so', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.qos', { prefetchCount: 1 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    raw.publish(1, { routingKey: queue }, '1');
    await raw.expectContent('basic.deliver', 1);
    const ok = await raw.call(1, 'basic.cancel', { consumerTag: 'c' });
    assert.equal(ok.args.consumerTag, 'c');
    raw.publish(1, { routingKey: queue }, '2');
    assert.deepEqual(await raw.drain(1, queue), ['2']);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    await raw.expectNothing(1);
  });

  test('of an unknown tag is answered all the same', async (t) => {
    const raw = await broker.rawChannel(t);
    const ok = await raw.call(1, 'basic.cancel', { consumerTag: 'unknown' });
    assert.equal(ok.args.consumerTag, 'unknown');
  });

  test('nowait: no answer, and the consumer is gone', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    raw.sendMethod(1, 'basic.cancel', { consumerTag: 'c', nowait: true });
    raw.publish(1, { routingKey: queue }, 'message');
    assert.deepEqual(await raw.drain(1, queue), ['message']);
  });
});

describe('basic.cancel by the broker', { concurrency: true }, () => {
  test('comes to the consumers of a deleted queue', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const consumerTag of ['a', 'b'])
      await raw.call(1, 'basic.consume', { queue, consumerTag });
    const other = await broker.rawChannel(t);
    await other.call(1, 'queue.delete', { queue });
    const tags: unknown[] = [];
    for (let count = 0; count < 2; count++) {
      const { args } = await raw.expectMethod('basic.cancel', 1);
      assert.equal(args.nowait, true);
      tags.push(args.consumerTag);
    }
    assert.deepEqual(new Set(tags), new Set(['a', 'b']));
  });

  test('comes to those on the channel that deletes as well', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    raw.sendMethod(1, 'queue.delete', { queue });
    const names = [(await raw.nextMethod()).name, (await raw.nextMethod()).name];
    assert.deepEqual(new Set(names), new Set(['basic.cancel', 'queue.delete-ok']));
  });

  test('does not come to clients that have not asserted consumer_cancel_notify', async (t) => {
    for (const clientProperties of [{}, { capabilities: { consumer_cancel_notify: false } }]) {
      const raw = await broker.rawChannel(t, { clientProperties });
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
      await raw.call(1, 'queue.delete', { queue });
      await raw.expectNothing(1);
    }
  });

  test('frees the consumer tag', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    for (let count = 0; count < 2; count++) {
      await raw.call(1, 'queue.declare', { queue });
      await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
      const other = await broker.rawChannel(t);
      await other.call(1, 'queue.delete', { queue });
      await raw.expectMethod('basic.cancel', 1);
    }
  });

  test('amqplib: the callback gets null', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    const queue = broker.queueName();
    await channel.assertQueue(queue, { durable: false });
    const cancelled = new Promise<unknown>((resolve) => {
      void channel.consume(queue, resolve);
    });
    await channel.checkQueue(queue);
    await channel.deleteQueue(queue);
    assert.equal(await cancelled, null);
  });
});
