import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, connectionClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

const noExchange = channelClose(404, "no exchange 'missing' in vhost '/'", 'basic.publish');
const noQueue = channelClose(404, "no queue 'missing' in vhost '/'", 'queue.declare');

describe('channels', { concurrency: true }, () => {
  test('a channel is opened, closed and opened again under its number', async (t) => {
    const raw = await broker.raw(t);
    for (let count = 0; count < 3; count++) {
      await raw.openChannel(7);
      await raw.call(7, 'channel.close', { replyCode: 200, replyText: 'done' });
    }
  });

  test('channels need not be opened in order, nor start at 1', async (t) => {
    const raw = await broker.raw(t);
    for (const channel of [2047, 5, 1]) await raw.openChannel(channel);
    for (const channel of [5, 1, 2047]) await raw.expectNothing(channel);
  });

  test('an error closes its channel and leaves the others be', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    raw.sendMethod(1, 'queue.declare', { queue: 'missing', passive: true });
    await raw.expectClose(1, noQueue);
    await raw.expectNothing(2);
    await raw.openChannel(1);
  });

  test('an asynchronous error closes the channel by itself, naming its method', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { exchange: 'missing', routingKey: 'k' }, 'lost');
    await raw.expectClose(1, noExchange);
  });

  test('what was in flight on a failed channel is discarded, up to close-ok', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'before');
    raw.publish(1, { exchange: 'missing' }, 'lost');
    raw.publish(1, { routingKey: queue }, 'after');
    raw.sendMethod(1, 'queue.delete', { queue });
    raw.publish(1, { exchange: 'missing' }, 'lost too');
    await raw.expectClose(1, noExchange);
    await raw.openChannel(1);
    assert.deepEqual(await raw.drain(1, queue), ['before']);
  });

  test('a failed channel may be opened again right behind its close-ok', async (t) => {
    const raw = await broker.rawChannel(t);
    for (let count = 0; count < 5; count++) {
      raw.publish(1, { exchange: 'missing' }, 'lost');
      await raw.expectMethod('channel.close', 1);
      raw.sendMethod(1, 'channel.close-ok');
      raw.sendMethod(1, 'channel.open');
      raw.sendMethod(1, 'channel.flow', { active: true });
      await raw.expectMethod('channel.open-ok', 1);
      await raw.expectMethod('channel.flow-ok', 1);
    }
  });

  test('a failed channel is not to be opened before its close-ok', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { exchange: 'missing' }, 'lost');
    await raw.expectMethod('channel.close', 1);
    raw.sendMethod(1, 'channel.open');
    await raw.expectClose(1, connectionClose(504, "second 'channel.open' seen", 'channel.open'));
  });

  test('when both sides close at once, both get their close-ok', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { exchange: 'missing' }, 'lost');
    raw.sendMethod(1, 'channel.close', { replyCode: 200 });
    await raw.expectMethod('channel.close', 1);
    await raw.expectMethod('channel.close-ok', 1);
    raw.sendMethod(1, 'channel.close-ok');
    await raw.openChannel(1);
  });

  test('closing a channel gives back what it had not acknowledged', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'kept');
    await raw.get(1, queue, false);
    await raw.openChannel(2);
    await raw.call(1, 'channel.close', { replyCode: 200 });
    const message = await raw.get(2, queue);
    assert.deepEqual([message?.body.toString(), message?.args.redelivered], ['kept', true]);
  });

  test('closing a channel ends its consumers', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.openChannel(2);
    await raw.call(2, 'basic.consume', { queue });
    assert.equal((await declared(queue)).args.consumerCount, 1);
    await raw.call(2, 'channel.close', { replyCode: 200 });
    assert.equal((await declared(queue)).args.consumerCount, 0);

    function declared(name: string): ReturnType<typeof raw.call> {
      return raw.call(1, 'queue.declare', { queue: name });
    }
  });

  test('channel.close amid content is 505', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'basic.publish', { routingKey: 'k' });
    raw.sendMethod(1, 'channel.close', { replyCode: 200 });
    await raw.expectClose(
      0,
      connectionClose(
        505,
        'expected content header for class 60, got non content header frame instead',
        'basic.publish',
      ),
    );
  });

  test('channel.flow(active=true) is answered, (active=false) is 540', async (t) => {
    const raw = await broker.rawChannel(t);
    const flowOk = await raw.call(1, 'channel.flow', { active: true });
    assert.equal(flowOk.args.active, true);
    raw.sendMethod(1, 'channel.flow', { active: false });
    await raw.expectClose(0, connectionClose(540, 'active=false', 'channel.flow'));
  });

  test('access.request is answered, as old clients ask', async (t) => {
    const raw = await broker.rawChannel(t);
    const { args } = await raw.call(1, 'access.request', { realm: '/data' });
    assert.equal(args.ticket, 1);
  });

  test('a reply text is cut at 255 bytes', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = 'n'.repeat(255);
    raw.sendMethod(1, 'queue.declare', { queue, passive: true });
    const { args } = await raw.expectMethod('channel.close', 1);
    const whole = `NOT_FOUND - no queue '${queue}' in vhost '/'`;
    assert.equal(args.replyText, `${whole.slice(0, 252)}...`);
  });

  test('amqplib: an error on one channel is told there, the connection goes on', async (t) => {
    const connection = await broker.amqplib(t);
    const failing = await connection.createChannel();
    const told = new Promise<Error>((resolve) => failing.once('error', resolve));
    await assert.rejects(failing.checkQueue('missing'), /404 \(NOT-FOUND\)/);
    assert.match(String(await told), /NOT_FOUND - no queue 'missing' in vhost '\/'/);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.checkQueue(queue);
  });
});
