import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('consumers of one queue', { concurrency: true }, () => {
  test('take turns, in the order they came', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const consumerTag of ['a', 'b', 'c']) {
      await raw.call(1, 'basic.consume', { queue, consumerTag, noAck: true });
    }
    const served: unknown[] = [];
    for (let count = 0; count < 9; count++) {
      raw.publish(1, { routingKey: queue }, 'message');
      served.push((await raw.expectContent('basic.deliver', 1)).args.consumerTag);
    }
    assert.deepEqual(served, ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
  });

  test('take turns over a burst as well, on connections of their own', async (t) => {
    const publisher = await (await broker.amqplib(t)).createChannel();
    const queue = broker.queueName();
    await publisher.assertQueue(queue, { durable: false });
    const counts = [0, 0, 0];
    let left = 300;
    await new Promise<void>((resolve, reject) => {
      const start = async (): Promise<void> => {
        for (const index of counts.keys()) {
          const channel = await (await broker.amqplib(t)).createChannel();
          await channel.consume(
            queue,
            () => {
              counts[index]!++;
              if (--left === 0) resolve();
            },
            { noAck: true },
          );
        }
        for (let count = 0; count < 300; count++) publisher.sendToQueue(queue, Buffer.from('m'));
      };
      start().catch(reject);
    });
    assert.deepEqual(counts, [100, 100, 100]);
  });

  test('one that is full is passed over until it settles something', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.qos', { prefetchCount: 1 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'full' });
    await raw.call(1, 'basic.qos', { prefetchCount: 0 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'free' });
    const served: string[] = [];
    for (let count = 0; count < 4; count++) {
      raw.publish(1, { routingKey: queue }, 'message');
      served.push(String((await raw.expectContent('basic.deliver', 1)).args.consumerTag));
    }
    assert.deepEqual(served, ['full', 'free', 'free', 'free']);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    const later = new Set<unknown>();
    for (let count = 0; count < 2; count++) {
      raw.publish(1, { routingKey: queue }, 'message');
      later.add((await raw.expectContent('basic.deliver', 1)).args.consumerTag);
    }
    assert.deepEqual(later, new Set(['full', 'free']));
  });

  test('each message goes to one of them, in the order of publishing', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (let body = 1; body <= 20; body++) raw.publish(1, { routingKey: queue }, String(body));
    await raw.untilReady(1, queue, 20);
    for (const consumerTag of ['a', 'b']) {
      raw.sendMethod(1, 'basic.consume', { queue, consumerTag, noAck: true, nowait: true });
    }
    const bodies: number[] = [];
    while (bodies.length < 20) {
      bodies.push(Number((await raw.expectContent('basic.deliver', 1)).body.toString()));
    }
    assert.deepEqual(
      bodies,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('fanout: every queue gets every message, in order', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    const exchange = broker.exchangeName();
    await channel.assertExchange(exchange, 'fanout', { durable: false });
    const received: string[][] = [];
    const ends: Promise<void>[] = [];
    for (let count = 0; count < 3; count++) {
      const { queue } = await channel.assertQueue('', { exclusive: true });
      await channel.bindQueue(queue, exchange, '');
      const bodies: string[] = [];
      received.push(bodies);
      ends.push(
        new Promise<void>((resolve) => {
          void channel.consume(
            queue,
            (message) => {
              bodies.push(String(message?.content));
              if (bodies.length === 50) resolve();
            },
            { noAck: true },
          );
        }),
      );
    }
    for (let body = 0; body < 50; body++) {
      channel.publish(exchange, 'ignored', Buffer.from(String(body)));
    }
    await Promise.all(ends);
    const expected = Array.from({ length: 50 }, (_, index) => String(index));
    assert.deepEqual(received, [expected, expected, expected]);
  });
});
