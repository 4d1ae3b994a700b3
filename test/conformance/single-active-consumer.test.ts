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
});
