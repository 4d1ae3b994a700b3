import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

async function withQueue(t: TestContext): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  const table = { 'x-single-active-consumer': true };
  await raw.call(1, 'queue.declare', { queue, arguments: table });
  return { raw, queue };
}

describe('x-single-active-consumer', { concurrency: true }, () => {
  test('one consumer gets all, the next in line takes over when it is cancelled', async (t) => {
    const { raw, queue } = await withQueue(t);
    for (const consumerTag of ['a', 'b', 'c']) {
      await raw.call(1, 'basic.consume', { queue, consumerTag, noAck: true });
    }
    for (const expected of ['a', 'b', 'c']) {
      for (let count = 0; count < 3; count++) {
        raw.publish(1, { routingKey: queue }, 'message');
        const { args } = await raw.expectContent('basic.deliver', 1);
        assert.equal(args.consumerTag, expected);
      }
      await raw.call(1, 'basic.cancel', { consumerTag: expected });
    }
  });

  test('the one in line takes over when the connection of the active one is cut', async (t) => {
    const { raw, queue } = await withQueue(t);
    const active = await broker.rawChannel(t);
    await active.call(1, 'basic.consume', { queue });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'next' });
    raw.publish(1, { routingKey: queue }, 'message');
    await active.expectContent('basic.deliver', 1);
    active.destroy();
    const { args } = await raw.expectContent('basic.deliver', 1);
    assert.deepEqual([args.consumerTag, args.redelivered], ['next', true]);
  });

  test('an exclusive consumer is 403', async (t) => {
    const { raw, queue } = await withQueue(t);
    raw.sendMethod(1, 'basic.consume', { queue, exclusive: true });
    await raw.expectClose(
      1,
      channelClose(403, `queue '${queue}' in vhost '/' in exclusive use`, 'basic.consume'),
    );
  });

  test('what it has not acknowledged comes first when the next takes over', async (t) => {
    const { raw, queue } = await withQueue(t);
    const active = await broker.rawChannel(t);
    await active.call(1, 'basic.qos', { prefetchCount: 2 });
    await active.call(1, 'basic.consume', { queue });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'next', noAck: true });
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    for (let i = 0; i < 2; i++) await active.expectContent('basic.deliver', 1);
    await active.call(1, 'channel.close', { replyCode: 200 });
    const bodies: string[] = [];
    for (let i = 0; i < 3; i++) {
      bodies.push((await raw.expectContent('basic.deliver', 1)).body.toString());
    }
    assert.deepEqual(bodies, ['1', '2', '3']);
  });

  test('one that is full holds everything up, though others wait', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.call(1, 'basic.qos', { prefetchCount: 1 });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'active' });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'waiting' });
    for (const body of ['1', '2']) raw.publish(1, { routingKey: queue }, body);
    const first = await raw.expectContent('basic.deliver', 1);
    await raw.untilReady(1, queue, 1);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(first.args.deliveryTag) });
    const second = await raw.expectContent('basic.deliver', 1);
    assert.deepEqual([first.args.consumerTag, second.args.consumerTag], ['active', 'active']);
  });

  test('the next is the one with the highest priority, and does not drive out anybody', async (t) => {
    const { raw, queue } = await withQueue(t);
    for (const [consumerTag, priority] of [
      ['active', 0],
      ['low', 1],
      ['high', 5],
    ] as const) {
      const table = { 'x-priority': priority };
      await raw.call(1, 'basic.consume', { queue, consumerTag, noAck: true, arguments: table });
    }
    for (const expected of ['active', 'high', 'low']) {
      raw.publish(1, { routingKey: queue }, 'message');
      const { args } = await raw.expectContent('basic.deliver', 1);
      assert.equal(args.consumerTag, expected);
      await raw.call(1, 'basic.cancel', { consumerTag: expected });
    }
  });

  test('basic.get is 405 on a quorum queue, and fine on a classic one', async (t) => {
    const { raw, queue } = await withQueue(t);
    assert.equal(await raw.get(1, queue), undefined);
    const quorum = broker.queueName();
    const table = { 'x-single-active-consumer': true, 'x-queue-type': 'quorum' };
    await raw.call(1, 'queue.declare', { queue: quorum, durable: true, arguments: table });
    raw.sendMethod(1, 'basic.get', { queue: quorum });
    const text = `cannot obtain access to locked queue '${quorum}' in vhost '/'. basic.get operations are not supported by quorum queues with single active consumer`;
    await raw.expectClose(1, channelClose(405, text, 'basic.get'));
  });
});
