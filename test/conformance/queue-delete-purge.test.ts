import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('queue.delete', { concurrency: true }, () => {
  test('counts the messages that were ready', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    await raw.get(1, queue, false);
    const { args } = await raw.call(1, 'queue.delete', { queue });
    assert.equal(args.messageCount, 2);
  });

  test('of what is not there is fine', async (t) => {
    const raw = await broker.rawChannel(t);
    const { args } = await raw.call(1, 'queue.delete', { queue: broker.queueName() });
    assert.equal(args.messageCount, 0);
  });

  test('removes the bindings: a queue of the same name starts without', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange });
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'k' });
    await raw.call(1, 'queue.delete', { queue });
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { exchange, routingKey: 'k' }, 'nowhere');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('if-unused is 406 while it has a consumer', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    await raw.openChannel(2);
    raw.sendMethod(2, 'queue.delete', { queue, ifUnused: true });
    await raw.expectClose(
      2,
      channelClose(406, `queue '${queue}' in vhost '/' in use`, 'queue.delete'),
    );
    await raw.call(1, 'basic.cancel', { consumerTag: 'c' });
    await raw.call(1, 'queue.delete', { queue, ifUnused: true });
  });

  test('if-empty is 406 while it holds a message', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    raw.sendMethod(1, 'queue.delete', { queue, ifEmpty: true });
    await raw.expectClose(
      1,
      channelClose(406, `queue '${queue}' in vhost '/' not empty`, 'queue.delete'),
    );
    await raw.openChannel(1);
    await raw.drain(1, queue);
    await raw.call(1, 'queue.delete', { queue, ifEmpty: true });
  });

  test('both conditions: the queue stays as long as one of them fails', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    raw.sendMethod(1, 'queue.delete', { queue, ifEmpty: true, ifUnused: true });
    await raw.expectClose(
      1,
      channelClose(406, `queue '${queue}' in vhost '/' not empty`, 'queue.delete'),
    );
    await raw.openChannel(1);
    assert.deepEqual(await raw.drain(1, queue), ['message']);
  });

  test('an empty name means the last declared, 404 without one', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.delete', { queue: '' });
    raw.sendMethod(1, 'queue.declare', { queue, passive: true });
    await raw.expectClose(
      1,
      channelClose(404, `no queue '${queue}' in vhost '/'`, 'queue.declare'),
    );
    await raw.openChannel(1);
    raw.sendMethod(1, 'queue.delete', { queue: '' });
    await raw.expectClose(1, channelClose(404, 'no previously declared queue', 'queue.delete'));
  });

  test('nowait: no answer, but the queue is gone and errors are reported', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    raw.sendMethod(1, 'queue.delete', { queue, nowait: true });
    raw.sendMethod(1, 'queue.declare', { queue, passive: true });
    await raw.expectClose(
      1,
      channelClose(404, `no queue '${queue}' in vhost '/'`, 'queue.declare'),
    );
    await raw.openChannel(1);
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    raw.sendMethod(1, 'queue.delete', { queue, ifEmpty: true, nowait: true });
    await raw.expectClose(
      1,
      channelClose(406, `queue '${queue}' in vhost '/' not empty`, 'queue.delete'),
    );
  });

  test('what was unacknowledged cannot come back, and acknowledging it is fine', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, '1');
    raw.publish(1, { routingKey: queue }, '2');
    const first = await raw.get(1, queue, false);
    const second = await raw.get(1, queue, false);
    await raw.call(1, 'queue.delete', { queue });
    await raw.call(1, 'queue.declare', { queue });
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(first?.args.deliveryTag) });
    raw.sendMethod(1, 'basic.nack', { deliveryTag: Number(second?.args.deliveryTag) });
    assert.deepEqual(await raw.drain(1, queue), []);
  });
});

describe('queue.purge', { concurrency: true }, () => {
  test('takes what is ready, counts it, and leaves what is unacknowledged', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    const first = await raw.get(1, queue, false);
    const { args } = await raw.call(1, 'queue.purge', { queue });
    assert.equal(args.messageCount, 2);
    assert.equal((await raw.call(1, 'queue.purge', { queue })).args.messageCount, 0);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: Number(first?.args.deliveryTag) });
    assert.deepEqual(await raw.drain(1, queue), ['1']);
  });

  test('of what is not there is 404', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.purge', { queue: 'missing' });
    await raw.expectClose(1, channelClose(404, "no queue 'missing' in vhost '/'", 'queue.purge'));
  });

  test('of an empty name means the last declared, 404 without one', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.purge', { queue: '' });
    await raw.expectClose(1, channelClose(404, 'no previously declared queue', 'queue.purge'));
    await raw.openChannel(1);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, '1');
    assert.equal((await raw.call(1, 'queue.purge', { queue: '' })).args.messageCount, 1);
  });

  test('nowait: no answer, and the queue is empty', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, '1');
    raw.sendMethod(1, 'queue.purge', { queue, nowait: true });
    assert.deepEqual(await raw.drain(1, queue), []);
  });
});
