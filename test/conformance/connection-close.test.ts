import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, connectionClose, RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest, startLeveret } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('connection.close', { concurrency: true }, () => {
  test('is answered with connection.close-ok, with channels open and after a channel error', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    raw.sendMethod(2, 'queue.declare', { queue: 'missing', passive: true });
    await raw.expectClose(2, channelClose(404, "no queue 'missing' in vhost '/'", 'queue.declare'));
    await raw.close();
  });

  test('what follows it is ignored', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    raw.sendMethod(0, 'connection.close', { replyCode: 200 });
    raw.sendMethod(1, 'queue.declare', { queue });
    raw.sendMethod(1, 'queue.declare', { queue: 'missing', passive: true });
    await raw.expectMethod('connection.close-ok', 0);
    const other = await broker.rawChannel(t);
    other.sendMethod(1, 'queue.declare', { queue, passive: true });
    await other.expectClose(
      1,
      channelClose(404, `no queue '${queue}' in vhost '/'`, 'queue.declare'),
    );
  });

  test('exclusive queues are gone before close-ok', async (t) => {
    const raw = await broker.rawChannel(t);
    const other = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, exclusive: true });
    await raw.close();
    other.sendMethod(1, 'queue.declare', { queue, passive: true });
    await other.expectClose(
      1,
      channelClose(404, `no queue '${queue}' in vhost '/'`, 'queue.declare'),
    );
  });

  test('a connection that is cut gives its messages back, in order and redelivered', async (t) => {
    const raw = await broker.rawChannel(t);
    const other = await broker.rawChannel(t);
    const queue = broker.queueName();
    await other.call(1, 'queue.declare', { queue });
    for (const body of ['1', '2', '3']) other.publish(1, { routingKey: queue }, body);
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    for (const body of ['1', '2', '3']) {
      assert.equal((await raw.expectContent('basic.deliver', 1)).body.toString(), body);
    }
    await other.call(1, 'basic.consume', { queue, consumerTag: 'c' });
    raw.destroy();
    for (const body of ['1', '2', '3']) {
      const message = await other.expectContent('basic.deliver', 1);
      assert.deepEqual([message.body.toString(), message.args.redelivered], [body, true]);
    }
  });

  test('a connection that is cut takes its exclusive and auto-delete queues along', async (t) => {
    const raw = await broker.rawChannel(t);
    const other = await broker.rawChannel(t);
    const exclusive = broker.queueName();
    const autoDelete = broker.queueName();
    await raw.call(1, 'queue.declare', { queue: exclusive, exclusive: true });
    await raw.call(1, 'queue.declare', { queue: autoDelete, autoDelete: true });
    await raw.call(1, 'basic.consume', { queue: autoDelete });
    // The consumer of the exclusive queue cannot be another's, so that of the other tells the end.
    await other.call(1, 'basic.consume', { queue: autoDelete, consumerTag: 'witness' });
    raw.destroy();
    await goneEventually(other, exclusive);
    await other.call(1, 'basic.cancel', { consumerTag: 'witness' });
    await goneEventually(other, autoDelete);
  });

  test('a second connection.open is 504', async (t) => {
    const raw = await broker.raw(t);
    raw.sendMethod(0, 'connection.open', { virtualHost: '/' });
    await raw.expectClose(
      0,
      connectionClose(504, 'unexpected method in connection state running', 'connection.open'),
    );
  });

  test('after its own connection.close the broker discards all but close-ok', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    raw.sendMethod(0, 'channel.open');
    raw.sendMethod(1, 'queue.declare', { queue });
    await raw.expectClose(
      0,
      connectionClose(504, 'unexpected method in connection state running', 'channel.open'),
    );
    const other = await broker.rawChannel(t);
    other.sendMethod(1, 'queue.declare', { queue, passive: true });
    await other.expectClose(
      1,
      channelClose(404, `no queue '${queue}' in vhost '/'`, 'queue.declare'),
    );
  });

  test('connection.update-secret is answered', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(0, 'connection.update-secret', { newSecret: 'guest', reason: 'a new one' });
    await raw.expectNothing(1);
  });

  test('320 when the broker shuts down', {
    skip: broker.isOwn ? false : 'a broker that is shared must go on running',
  }, async (t) => {
    const own = await startLeveret();
    const raw = await RawConnection.handshake(Number(new URL(own.url).port));
    t.after(() => raw.destroy());
    await raw.openChannel(1);
    const closing = own.close();
    await raw.expectClose(
      0,
      connectionClose(320, "broker forced connection closure with reason 'shutdown'"),
    );
    await closing;
  });
});

/** Polls with passive declarations, on channels of their own, until the queue is not found. */
async function goneEventually(raw: RawConnection, queue: string): Promise<void> {
  for (let channel = 10; channel < 1000; channel++) {
    await raw.openChannel(channel);
    raw.sendMethod(channel, 'queue.declare', { queue, passive: true });
    const { name } = await raw.nextMethod();
    if (name === 'channel.close') {
      raw.sendMethod(channel, 'channel.close-ok');
      // 405 while the owner is still there
      await raw.openChannel(channel);
      raw.sendMethod(channel, 'queue.declare', { queue, passive: true });
      const { args } = await raw.nextMethod();
      raw.sendMethod(channel, 'channel.close-ok');
      if (args.replyCode === 404) return;
    } else {
      await raw.call(channel, 'channel.close', { replyCode: 200 });
    }
  }
  assert.fail(`${queue} is still there`);
}
