import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Content, channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

/** RabbitMQ counts deliveries in quorum queues alone. */
const kinds = broker.isRabbit ? ['quorum'] : ['quorum', 'classic'];
const noTimeouts = broker.isRabbit ? 'RabbitMQ knows x-consumer-timeout from 3.12 on' : false;

async function withQueue(
  t: TestContext,
  table: WireArguments,
): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue, durable: true, arguments: table });
  return { raw, queue };
}

function deliveryCount({ properties }: Content): unknown {
  const count = (properties.headers as Record<string, unknown> | undefined)?.['x-delivery-count'];
  if (typeof count !== 'object' || count === null) return count;
  return Number((count as { value: unknown }).value);
}

for (const kind of kinds) {
  describe(`delivery counts of a ${kind} queue`, { concurrency: true }, () => {
    test('x-delivery-count tells how often it came back', async (t) => {
      const table = { 'x-queue-type': kind, 'x-delivery-limit': 10 };
      const { raw, queue } = await withQueue(t, table);
      raw.publish(1, { routingKey: queue }, 'message', { headers: { own: 1 } });
      await raw.untilReady(1, queue, 1);
      const counts: unknown[] = [];
      await raw.call(1, 'basic.consume', { queue });
      for (let i = 0; i < 3; i++) {
        const message = await raw.expectContent('basic.deliver', 1);
        counts.push([message.args.redelivered, deliveryCount(message)]);
        const deliveryTag = Number(message.args.deliveryTag);
        raw.sendMethod(1, 'basic.nack', { deliveryTag, requeue: true });
      }
      assert.deepEqual(counts, [
        [false, undefined],
        [true, 1],
        [true, 2],
      ]);
    });

    test('x-delivery-limit: what comes back once too often is a dead letter', async (t) => {
      const dead = broker.queueName();
      const { raw, queue } = await withQueue(t, {
        'x-queue-type': kind,
        'x-delivery-limit': 2,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': dead,
      });
      await raw.call(1, 'queue.declare', { queue: dead });
      raw.publish(1, { routingKey: queue }, 'message');
      await raw.call(1, 'basic.consume', { queue });
      for (let i = 0; i < 3; i++) {
        const { args } = await raw.expectContent('basic.deliver', 1);
        const deliveryTag = Number(args.deliveryTag);
        raw.sendMethod(1, 'basic.reject', { deliveryTag, requeue: true });
      }
      await raw.untilReady(1, dead, 1);
      const message = await raw.get(1, dead);
      assert.ok(message);
      const headers = message.properties.headers as Record<string, unknown>; // a table
      assert.equal(headers['x-first-death-reason'], 'delivery_limit');
      assert.equal(headers['x-delivery-count'], undefined);
    });
  });
}

describe('x-consumer-timeout', { concurrency: true, skip: noTimeouts }, () => {
  const timedOut = (milliseconds: number) =>
    channelClose(
      406,
      `delivery acknowledgement on channel 1 timed out. Timeout value used: ${milliseconds} ms. This timeout value can be configured, see consumers doc guide to learn more`,
      null,
    );

  test('of a queue: the channel is closed, and the message comes back', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-consumer-timeout': 50 });
    raw.publish(1, { routingKey: queue }, 'message');
    await raw.call(1, 'basic.consume', { queue });
    await raw.expectContent('basic.deliver', 1);
    await raw.expectClose(1, timedOut(50));
    await raw.openChannel(1);
    const message = await raw.get(1, queue);
    assert.deepEqual([message?.body.toString(), message?.args.redelivered], ['message', true]);
  });

  test('of a consumer', async (t) => {
    const { raw, queue } = await withQueue(t, {});
    raw.publish(1, { routingKey: queue }, 'message');
    await raw.call(1, 'basic.consume', { queue, arguments: { 'x-consumer-timeout': 40 } });
    await raw.expectContent('basic.deliver', 1);
    await raw.expectClose(1, timedOut(40));
  });

  test('a negative one is 406', async (t) => {
    const { raw, queue } = await withQueue(t, {});
    const table = { 'x-consumer-timeout': -1 };
    raw.sendMethod(1, 'basic.consume', { queue, arguments: table });
    const text = `invalid arg 'x-consumer-timeout' for queue '${queue}' in vhost '/': {value_negative,-1}`;
    await raw.expectClose(1, channelClose(406, text, 'basic.consume'));
  });
});
