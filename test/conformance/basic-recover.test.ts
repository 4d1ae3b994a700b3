import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('basic.recover', { concurrency: true }, () => {
  test('requeues all that is outstanding on the channel, in order and redelivered', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    for (let count = 0; count < 2; count++) await raw.get(1, queue, false);
    await raw.call(1, 'basic.recover', { requeue: true });
    for (const [body, redelivered] of [
      ['1', true],
      ['2', true],
      ['3', false],
    ] as const) {
      const message = await raw.get(1, queue);
      assert.deepEqual([message?.body.toString(), message?.args.redelivered], [body, redelivered]);
    }
  });

  test('leaves what other channels hold', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, '1');
    await raw.untilReady(1, queue, 1);
    await raw.get(2, queue, false);
    await raw.call(1, 'basic.recover', { requeue: true });
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('the old tags are settled', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    await raw.expectContent('basic.deliver', 1);
    raw.sendMethod(1, 'basic.recover', { requeue: true });
    const names: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { name, args } = await raw.nextMethod();
      names.push(name);
      if (name !== 'basic.deliver') continue;
      assert.deepEqual([args.deliveryTag, args.redelivered], [2, true]);
      await raw.nextFrame();
      await raw.nextFrame();
    }
    assert.deepEqual(new Set(names), new Set(['basic.deliver', 'basic.recover-ok']));
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    assert.equal((await raw.expectMethod('channel.close', 1)).args.replyCode, 406);
  });

  test('basic.recover-async does the same without an answer', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.recover-async', { requeue: true });
    assert.equal((await raw.get(1, queue))?.args.redelivered, true);
  });

  for (const method of ['basic.recover', 'basic.recover-async'] as const) {
    test(`${method} without requeue is 540`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, method, { requeue: false });
      await raw.expectClose(0, connectionClose(540, 'requeue=false', method));
    });
  }

  test('amqplib: recover', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    channel.sendToQueue(queue, Buffer.from('message'));
    assert.ok(await channel.get(queue));
    await channel.recover();
    const message = await channel.get(queue);
    assert.ok(message);
    assert.equal(message.fields.redelivered, true);
  });
});
