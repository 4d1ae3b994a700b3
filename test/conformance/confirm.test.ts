import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();
/** Reads acks until `count` tags are confirmed, each of them once. */
async function confirmed(raw: RawConnection, count: number): Promise<void> {
  const open = new Set(Array.from({ length: count }, (_, index) => index + 1));
  while (open.size > 0) {
    const { args } = await raw.expectMethod('basic.ack', 1);
    const tag = Number(args.deliveryTag);
    assert.ok(open.has(tag), `${tag} is confirmed once`);
    for (const other of [...open]) {
      if (other === tag || (args.multiple === true && other < tag)) open.delete(other);
    }
  }
}

describe('publisher confirms', { concurrency: true }, () => {
  test('tags count from 1, and each is confirmed once', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'confirm.select');
    for (let count = 0; count < 200; count++) raw.publish(1, { routingKey: queue }, 'message');
    await confirmed(raw, 200);
    assert.equal((await raw.drain(1, queue)).length, 200);
  });

  test('what was published before confirm.select is not counted', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { routingKey: 'nowhere' }, 'before');
    await raw.call(1, 'confirm.select');
    raw.publish(1, { routingKey: 'nowhere' }, 'after');
    await confirmed(raw, 1);
    await raw.expectNothing(1);
  });

  test('persistent messages to durable queues are confirmed', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, durable: true });
    await raw.call(1, 'confirm.select');
    for (let count = 0; count < 50; count++) {
      raw.publish(1, { routingKey: queue }, 'message', { deliveryMode: 2 });
    }
    await confirmed(raw, 50);
  });

  test('an unroutable message is confirmed', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'confirm.select');
    raw.publish(1, { exchange: 'amq.direct', routingKey: 'nowhere' }, 'dropped');
    await confirmed(raw, 1);
  });

  test('a return comes before the confirm of its message', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'confirm.select');
    for (const body of ['1', '2', '3']) {
      raw.publish(1, { routingKey: 'nowhere', mandatory: true }, body);
    }
    let returns = 0;
    for (let acked = 0; acked < 3; ) {
      const { name, args } = await raw.nextMethod();
      if (name === 'basic.return') {
        returns++;
        await raw.nextFrame();
        await raw.nextFrame();
      } else {
        assert.equal(name, 'basic.ack');
        acked = Number(args.deliveryTag);
        assert.ok(returns >= acked, `${returns} returned, ${acked} confirmed`);
      }
    }
    assert.equal(returns, 3);
  });

  test('one message to many queues is confirmed once', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
    for (let count = 0; count < 5; count++) {
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue, durable: count % 2 === 0 });
      await raw.call(1, 'queue.bind', { queue, exchange });
    }
    await raw.call(1, 'confirm.select');
    for (let count = 0; count < 10; count++) {
      raw.publish(1, { exchange }, 'message', { deliveryMode: 2 });
    }
    await confirmed(raw, 10);
    await raw.expectNothing(1);
  });

  test('what one of several queues refuses is nacked; the others keep it', {}, async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
    const [open, full] = [broker.queueName(), broker.queueName()];
    await raw.call(1, 'queue.declare', { queue: open });
    const table = { 'x-max-length': 1, 'x-overflow': 'reject-publish' };
    await raw.call(1, 'queue.declare', { queue: full, arguments: table });
    for (const queue of [open, full]) await raw.call(1, 'queue.bind', { queue, exchange });
    await raw.call(1, 'confirm.select');
    raw.publish(1, { exchange }, 'first');
    assert.equal((await raw.expectMethod('basic.ack', 1)).args.deliveryTag, 1);
    await raw.untilReady(1, full, 1);
    raw.publish(1, { exchange }, 'second');
    assert.equal((await raw.expectMethod('basic.nack', 1)).args.deliveryTag, 2);
    assert.deepEqual(await raw.drain(1, open), ['first', 'second']);
    assert.deepEqual(await raw.drain(1, full), ['first']);
  });

  test('confirm.select twice is fine and does not start over; nowait has no answer', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'confirm.select', { nowait: true });
    raw.publish(1, { routingKey: 'nowhere' }, '1');
    assert.equal((await raw.expectMethod('basic.ack', 1)).args.deliveryTag, 1);
    await raw.call(1, 'confirm.select');
    raw.publish(1, { routingKey: 'nowhere' }, '2');
    assert.equal((await raw.expectMethod('basic.ack', 1)).args.deliveryTag, 2);
  });

  test('after tx.select it is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'tx.select');
    raw.sendMethod(1, 'confirm.select');
    await raw.expectClose(
      1,
      channelClose(406, 'cannot switch from tx to confirm mode', 'confirm.select'),
    );
  });

  test('each channel counts for itself, and starts over when it is opened again', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    for (const channel of [1, 2]) await raw.call(channel, 'confirm.select');
    for (const channel of [1, 2]) {
      raw.publish(channel, { routingKey: 'nowhere' }, 'message');
      assert.equal((await raw.expectMethod('basic.ack', channel)).args.deliveryTag, 1);
    }
    await raw.call(1, 'channel.close', { replyCode: 200 });
    await raw.openChannel(1);
    raw.publish(1, { routingKey: 'nowhere' }, 'message');
    await raw.expectNothing(1);
    await raw.call(1, 'confirm.select');
    raw.publish(1, { routingKey: 'nowhere' }, 'message');
    await confirmed(raw, 1);
  });

  test('a consumer that acknowledges does not disturb the confirms', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'confirm.select');
    await raw.call(1, 'basic.consume', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    const seen: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { name } = await raw.nextMethod();
      seen.push(name);
      if (name === 'basic.deliver') {
        await raw.nextFrame();
        await raw.nextFrame();
        raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
      }
    }
    assert.deepEqual(new Set(seen), new Set(['basic.ack', 'basic.deliver']));
    await raw.expectNothing(1);
  });

  test('amqplib: waitForConfirms', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    for (let count = 0; count < 100; count++) {
      channel.sendToQueue(queue, Buffer.from(String(count)), { persistent: true });
    }
    await channel.waitForConfirms();
    for (let count = 0; count < 100; count++) {
      const message = await channel.get(queue, { noAck: true });
      assert.ok(message);
      assert.equal(message.content.toString(), String(count));
    }
  });
});
