import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, describe, test } from 'node:test';
import { controlledBroker } from './controlled-broker.js';

const { broker, control } = await controlledBroker();
const options = { skip: control ? false : 'RABBITMQCTL is not set' };

/** What a client says that does not want to know. */
const UNINTERESTED = { capabilities: { basic: { nack: true } } };

describe('while memory is low', options, () => {
  afterEach(() => control?.setMemoryAlarm(false));

  test('a publisher is told why it waits, and when it need not any more', async (t) => {
    const publisher = await broker.rawChannel(t);
    const reader = await broker.rawChannel(t);
    const queue = broker.queueName();
    await reader.call(1, 'queue.declare', { queue });
    await control?.setMemoryAlarm(true);
    // Nobody is told who does not publish.
    await publisher.expectNothing(1);
    publisher.publish(1, { exchange: '', routingKey: queue }, 'waits');
    const blocked = await publisher.expectMethod('connection.blocked', 0);
    assert.equal(blocked.args.reason, 'low on memory');
    assert.equal(await reader.get(1, queue), undefined);
    await control?.setMemoryAlarm(false);
    await publisher.expectMethod('connection.unblocked', 0);
    await publisher.expectNothing(1);
    assert.equal((await reader.get(1, queue))?.body.toString(), 'waits');
  });

  test('a publisher waits that has not asked to be told', async (t) => {
    const publisher = await broker.rawChannel(t, { clientProperties: UNINTERESTED });
    const reader = await broker.rawChannel(t);
    const queue = broker.queueName();
    await reader.call(1, 'queue.declare', { queue });
    await control?.setMemoryAlarm(true);
    publisher.publish(1, { exchange: '', routingKey: queue }, 'waits');
    for (let i = 0; i < 20; i++) assert.equal(await reader.get(1, queue), undefined);
    await control?.setMemoryAlarm(false);
    // The answer is the first thing it hears.
    await publisher.expectNothing(1);
    assert.equal((await reader.get(1, queue))?.body.toString(), 'waits');
  });

  test('consumers go on', async (t) => {
    const consumer = await broker.rawChannel(t);
    const queue = broker.queueName();
    await consumer.call(1, 'queue.declare', { queue });
    for (const body of ['a', 'b']) consumer.publish(1, { exchange: '', routingKey: queue }, body);
    await consumer.expectNothing(1);
    await control?.setMemoryAlarm(true);
    await consumer.call(1, 'basic.qos', { prefetchCount: 1 });
    await consumer.call(1, 'basic.consume', { queue });
    for (const body of ['a', 'b']) {
      const { args, body: got } = await consumer.expectContent('basic.deliver', 1);
      assert.equal(got.toString(), body);
      consumer.sendMethod(1, 'basic.ack', { deliveryTag: Number(args.deliveryTag) });
    }
  });

  test('amqplib says so', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await control?.setMemoryAlarm(true);
    const blocked = once(connection, 'blocked');
    channel.sendToQueue(queue, Buffer.from('waits'));
    assert.deepEqual(await blocked, ['low on memory']);
    const unblocked = once(connection, 'unblocked');
    await control?.setMemoryAlarm(false);
    await unblocked;
    await channel.waitForConfirms();
    assert.ok(await channel.get(queue));
  });
});
