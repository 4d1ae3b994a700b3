import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { Method } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { mandatoryReply, passiveReplyAddress } from './differences.js';

const broker = await brokerUnderTest();
const replyTo = 'amq.rabbitmq.reply-to';

describe('direct reply-to', { concurrency: true }, () => {
  test('a request goes out with an address, and the answer comes back to it', async (t) => {
    const client = await broker.rawChannel(t);
    const server = await broker.rawChannel(t);
    const queue = broker.queueName();
    await server.call(1, 'queue.declare', { queue });
    await client.call(1, 'basic.consume', { queue: replyTo, consumerTag: 'replies', noAck: true });
    for (const question of ['one', 'two']) {
      const properties = { replyTo, correlationId: question };
      client.publish(1, { routingKey: queue }, question, properties);
      await server.untilReady(1, queue, 1);
      const request = await server.get(1, queue);
      const address = String(request?.properties.replyTo);
      assert.match(address, /^amq\.rabbitmq\.reply-to\.\S+$/);
      server.publish(1, { routingKey: address }, `${question}!`, { correlationId: question });
      const reply = await client.expectContent('basic.deliver', 1);
      assert.equal(reply.body.toString(), `${question}!`);
      assert.equal(reply.properties.correlationId, question);
      assert.deepEqual(
        { ...reply.args, deliveryTag: undefined },
        {
          consumerTag: 'replies',
          deliveryTag: undefined,
          redelivered: false,
          exchange: '',
          routingKey: address,
        },
      );
    }
  });

  test('the address stands for the channel: it is the same every time', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue: replyTo, noAck: true });
    for (let count = 0; count < 2; count++) raw.publish(1, { routingKey: queue }, 'q', { replyTo });
    const addresses = [await raw.get(1, queue), await raw.get(1, queue)].map(
      (message) => message?.properties.replyTo,
    );
    assert.equal(addresses[0], addresses[1]);
  });

  test('another reply-to is left alone', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'q', { replyTo: 'my-own-queue' });
    assert.equal((await raw.get(1, queue))?.properties.replyTo, 'my-own-queue');
  });

  test('consuming with acknowledgements is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'basic.consume', { queue: replyTo, noAck: false });
    await raw.expectClose(
      1,
      channelClose(406, 'reply consumer cannot acknowledge', 'basic.consume'),
    );
  });

  test('a second consumer on the channel is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'basic.consume', { queue: replyTo, noAck: true });
    raw.sendMethod(1, 'basic.consume', { queue: replyTo, noAck: true });
    await raw.expectClose(1, channelClose(406, 'reply consumer already set', 'basic.consume'));
  });

  test('publishing with it before consuming is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { routingKey: 'nowhere' }, 'q', { replyTo });
    await raw.expectClose(
      1,
      channelClose(406, 'fast reply consumer does not exist', 'basic.publish'),
    );
  });

  test('after basic.cancel it may be consumed again', async (t) => {
    const raw = await broker.rawChannel(t);
    for (let count = 0; count < 2; count++) {
      await raw.call(1, 'basic.consume', { queue: replyTo, consumerTag: 'r', noAck: true });
      await raw.call(1, 'basic.cancel', { consumerTag: 'r' });
    }
    raw.publish(1, { routingKey: 'nowhere' }, 'q', { replyTo });
    await raw.expectClose(
      1,
      channelClose(406, 'fast reply consumer does not exist', 'basic.publish'),
    );
  });

  test('a mandatory answer to an address that is gone is returned', async (t) => {
    const client = await broker.rawChannel(t);
    const server = await broker.rawChannel(t);
    const queue = broker.queueName();
    await server.call(1, 'queue.declare', { queue });
    await client.call(1, 'basic.consume', { queue: replyTo, noAck: true });
    client.publish(1, { routingKey: queue }, 'q', { replyTo });
    await server.untilReady(1, queue, 1);
    const request = await server.get(1, queue);
    const address = String(request?.properties.replyTo);
    await client.close();
    server.publish(1, { routingKey: address, mandatory: true }, 'late');
    const { args } = await server.expectContent('basic.return', 1);
    assert.deepEqual([args.replyCode, args.routingKey], [312, address]);
  });

  test('an invented address routes nowhere', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { routingKey: `${replyTo}.nonsense`, mandatory: true }, 'lost');
    assert.equal((await raw.expectContent('basic.return', 1)).args.replyCode, 312);
  });

  test('a mandatory answer to an address that lives arrives', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    const address = await liveAddress(raw);
    raw.publish(2, { routingKey: address, mandatory: true }, 'answer');
    if (broker.expected(mandatoryReply) === 'delivered and returned') {
      const [first, second] = [await raw.nextMethod(), await contentThenMethod(raw)];
      assert.deepEqual(
        new Set([first.name, second.name]),
        new Set(['basic.deliver', 'basic.return']),
      );
      return;
    }
    assert.equal((await raw.expectContent('basic.deliver', 1)).body.toString(), 'answer');
    await raw.expectNothing(2);
  });

  test('it may be declared passively', async (t) => {
    const raw = await broker.rawChannel(t);
    const { args } = await raw.call(1, 'queue.declare', { queue: replyTo, passive: true });
    assert.deepEqual({ ...args }, { queue: replyTo, messageCount: 0, consumerCount: 1 });
  });

  test('an address that lives may be declared passively', async (t) => {
    const raw = await broker.rawChannel(t);
    const address = await liveAddress(raw);
    raw.sendMethod(1, 'queue.declare', { queue: address, passive: true });
    const refusal = broker.expected(passiveReplyAddress);
    if (refusal) await raw.expectClose(1, refusal);
    else await raw.expectMethod('queue.declare-ok', 1);
  });

  test('amqplib: a call and its answer', async (t) => {
    const client = await (await broker.amqplib(t)).createChannel();
    const server = await (await broker.amqplib(t)).createChannel();
    const queue = broker.queueName();
    await server.assertQueue(queue, { durable: false });
    await server.consume(queue, (message) => {
      const n = Number(message!.content.toString());
      const { correlationId, replyTo: address } = message!.properties;
      server.sendToQueue(String(address), Buffer.from(String(n * n)), { correlationId });
      server.ack(message!);
    });
    const answer = new Promise<string>((resolve) => {
      void client
        .consume(replyTo, (message) => resolve(String(message?.content)), { noAck: true })
        .then(() => client.sendToQueue(queue, Buffer.from('7'), { replyTo, correlationId: '1' }));
    });
    assert.equal(await answer, '49');
  });
});

/** Consumes replies on channel 1 and finds out under which address. */
async function liveAddress(raw: RawConnection): Promise<string> {
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  await raw.call(1, 'basic.consume', { queue: replyTo, noAck: true });
  raw.publish(1, { routingKey: queue }, 'question', { replyTo });
  return String((await raw.get(1, queue))?.properties.replyTo);
}

/** Passes over the header and the body of a message, up to the next method. */
async function contentThenMethod(raw: RawConnection): Promise<Method> {
  await raw.nextFrame();
  await raw.nextFrame();
  return raw.nextMethod();
}
