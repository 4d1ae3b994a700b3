import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';
import { refusedCommit } from './differences.js';

const broker = await brokerUnderTest();

/** Channel 1 in a transaction, channel 2 outside of it, and a queue. */
async function transaction(t: TestContext): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  await raw.openChannel(2);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  await raw.call(1, 'tx.select');
  return { raw, queue };
}

describe('transactions', { concurrency: true }, () => {
  test('what is published is there after tx.commit, and not before', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(1, { routingKey: queue }, '1');
    raw.publish(1, { routingKey: queue }, '2');
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(2, queue), []);
    await raw.call(1, 'tx.commit');
    assert.deepEqual(await raw.drain(2, queue), ['1', '2']);
  });

  test('what is published is gone after tx.rollback', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(1, { routingKey: queue }, 'gone');
    await raw.call(1, 'tx.rollback');
    raw.publish(1, { routingKey: queue }, 'kept');
    await raw.call(1, 'tx.commit');
    assert.deepEqual(await raw.drain(2, queue), ['kept']);
  });

  test('what is acknowledged comes back after tx.rollback and channel close', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(2, { routingKey: queue }, 'message');
    await raw.untilReady(2, queue, 1);
    const message = await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(message?.args.deliveryTag) });
    await raw.call(1, 'tx.rollback');
    // The rollback took back the ack, and requeues nothing by itself.
    assert.deepEqual(await raw.drain(2, queue), []);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(message?.args.deliveryTag) });
    await raw.call(1, 'tx.rollback');
    await raw.call(1, 'channel.close', { replyCode: 200 });
    assert.deepEqual(await raw.drain(2, queue), ['message']);
  });

  test('what is acknowledged is gone for good after tx.commit', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(2, { routingKey: queue }, 'message');
    await raw.untilReady(2, queue, 1);
    const message = await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(message?.args.deliveryTag) });
    await raw.call(1, 'tx.commit');
    await raw.call(1, 'channel.close', { replyCode: 200 });
    assert.deepEqual(await raw.drain(2, queue), []);
  });

  test('an ack in a transaction that is not committed comes back when the channel closes', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(2, { routingKey: queue }, 'message');
    await raw.untilReady(2, queue, 1);
    const message = await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(message?.args.deliveryTag) });
    await raw.call(1, 'channel.close', { replyCode: 200 });
    const again = await raw.get(2, queue);
    assert.deepEqual([again?.body.toString(), again?.args.redelivered], ['message', true]);
  });

  test('what is rejected is requeued at tx.commit, not before', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(2, { routingKey: queue }, 'message');
    await raw.untilReady(2, queue, 1);
    const message = await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.reject', {
      deliveryTag: Number(message?.args.deliveryTag),
      requeue: true,
    });
    await raw.expectNothing(1);
    assert.equal(await raw.get(2, queue), undefined);
    await raw.call(1, 'tx.commit');
    assert.deepEqual(await raw.drain(2, queue), ['message']);
  });

  test('acks and publishes are committed together', async (t) => {
    const { raw, queue } = await transaction(t);
    const results = broker.queueName();
    await raw.call(2, 'queue.declare', { queue: results });
    raw.publish(2, { routingKey: queue }, 'task');
    await raw.untilReady(2, queue, 1);
    const task = await raw.get(1, queue, false);
    raw.publish(1, { routingKey: results }, 'result');
    raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(task?.args.deliveryTag) });
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(2, results), []);
    await raw.call(1, 'tx.commit');
    await raw.call(1, 'channel.close', { replyCode: 200 });
    assert.deepEqual([await raw.drain(2, queue), await raw.drain(2, results)], [[], ['result']]);
  });

  test('a channel that closes drops what it did not commit', async (t) => {
    const { raw, queue } = await transaction(t);
    raw.publish(1, { routingKey: queue }, 'gone');
    await raw.call(1, 'channel.close', { replyCode: 200 });
    assert.deepEqual(await raw.drain(2, queue), []);
  });

  test('a mandatory message is returned at the commit, before commit-ok', async (t) => {
    const { raw } = await transaction(t);
    raw.publish(1, { routingKey: 'nowhere', mandatory: true }, 'back');
    await raw.expectNothing(1);
    raw.sendMethod(1, 'tx.commit');
    assert.equal((await raw.expectContent('basic.return', 1)).body.toString(), 'back');
    await raw.expectMethod('tx.commit-ok', 1);
  });

  test('errors of a publish come at once, without waiting for the commit', async (t) => {
    const { raw } = await transaction(t);
    raw.publish(1, { exchange: 'missing' }, 'lost');
    await raw.expectClose(
      1,
      channelClose(404, "no exchange 'missing' in vhost '/'", 'basic.publish'),
    );
  });

  test('an unknown delivery tag is 406 at once', async (t) => {
    const { raw } = await transaction(t);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 5 });
    await raw.expectClose(1, channelClose(406, 'unknown delivery tag 5', 'basic.ack'));
  });

  test('tx.select twice is fine; an empty commit and rollback as well', async (t) => {
    const { raw } = await transaction(t);
    for (const name of ['tx.select', 'tx.commit', 'tx.rollback', 'tx.commit']) {
      await raw.call(1, name);
    }
  });

  for (const method of ['tx.commit', 'tx.rollback'] as const) {
    test(`${method} without tx.select is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, method);
      await raw.expectClose(1, channelClose(406, 'channel is not transactional', method));
    });
  }

  test('tx.select after confirm.select is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'confirm.select');
    raw.sendMethod(1, 'tx.select');
    await raw.expectClose(
      1,
      channelClose(406, 'cannot switch from confirm to tx mode', 'tx.select'),
    );
  });

  test('a commit that a queue refuses is 406', async (t) => {
    const { raw } = await transaction(t);
    const queue = broker.queueName();
    const table = { 'x-max-length': 1, 'x-overflow': 'reject-publish' };
    await raw.call(2, 'queue.declare', { queue, arguments: table });
    raw.publish(2, { routingKey: queue }, 'full');
    await raw.untilReady(2, queue, 1);
    const open = broker.queueName();
    await raw.call(2, 'queue.declare', { queue: open });
    raw.publish(1, { routingKey: open }, 'accepted');
    raw.publish(1, { routingKey: queue }, 'refused');
    raw.sendMethod(1, 'tx.commit');
    await raw.expectClose(1, channelClose(406, 'partial tx completion', 'tx.commit'));
    assert.deepEqual(await raw.drain(2, queue), ['full']);
    const kept = broker.expected(refusedCommit) === 'kept' ? ['accepted'] : [];
    assert.deepEqual(await raw.drain(2, open), kept);
  });

  test('a rolled back ack may be given again, and its tag is still good', async (t) => {
    const { raw, queue } = await transaction(t);
    for (const body of ['1', '2', '3']) raw.publish(2, { routingKey: queue }, body);
    await raw.untilReady(2, queue, 3);
    for (let count = 0; count < 3; count++) await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 2, multiple: true });
    await raw.call(1, 'tx.rollback');
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 3, multiple: true });
    await raw.call(1, 'tx.commit');
    await raw.call(1, 'channel.close', { replyCode: 200 });
    assert.deepEqual(await raw.drain(2, queue), []);
  });
});
