import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('basic.get', { concurrency: true }, () => {
  test('takes one message and tells how many are left', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    for (const [index, body] of ['1', '2', '3'].entries()) {
      const message = await raw.get(1, queue, false);
      assert.deepEqual(
        { ...message?.args, body: message?.body.toString() },
        {
          deliveryTag: index + 1,
          redelivered: false,
          exchange: '',
          routingKey: queue,
          messageCount: 2 - index,
          body,
        },
      );
    }
    assert.equal(await raw.get(1, queue), undefined);
  });

  test('no-ack takes it for good; otherwise it comes back', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const body of ['gone', 'back']) raw.publish(1, { routingKey: queue }, body);
    await raw.get(1, queue, true);
    await raw.get(1, queue, false);
    await raw.call(1, 'channel.close', { replyCode: 200 });
    await raw.openChannel(1);
    assert.deepEqual(await raw.drain(1, queue), ['back']);
  });

  test('delivery tags are shared with the consumers of the channel', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const other = broker.queueName();
    for (const name of [queue, other]) await raw.call(1, 'queue.declare', { queue: name });
    raw.publish(1, { routingKey: queue }, 'got');
    assert.equal((await raw.get(1, queue, false))?.args.deliveryTag, 1);
    await raw.call(1, 'basic.consume', { queue: other });
    raw.publish(1, { routingKey: other }, 'delivered');
    assert.equal((await raw.expectContent('basic.deliver', 1)).args.deliveryTag, 2);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 2, multiple: true });
    await raw.expectNothing(1);
  });

  test('prefetch does not hold it back', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.qos', { prefetchCount: 1, global: true });
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    for (const body of ['1', '2', '3']) {
      assert.equal((await raw.get(1, queue, false))?.body.toString(), body);
    }
  });

  test('of a missing queue is 404', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'basic.get', { queue: 'missing' });
    await raw.expectClose(1, channelClose(404, "no queue 'missing' in vhost '/'", 'basic.get'));
  });

  test('an empty name means the last declared, 404 without one', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'basic.get', { queue: '' });
    await raw.expectClose(1, channelClose(404, 'no previously declared queue', 'basic.get'));
    await raw.openChannel(1);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'here');
    assert.equal((await raw.get(1, ''))?.body.toString(), 'here');
  });

  test('an exclusive consumer does not keep it out', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue, exclusive: true });
    assert.equal(await raw.get(1, queue), undefined);
  });

  test('amqplib: get answers false on an empty queue', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    assert.equal(await channel.get(queue), false);
    channel.sendToQueue(queue, Buffer.from('message'));
    const message = await channel.get(queue);
    assert.ok(message);
    assert.equal(message.content.toString(), 'message');
    channel.ack(message);
    assert.equal(await channel.get(queue), false);
  });
});
