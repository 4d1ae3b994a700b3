import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  type Message,
} from 'amqplib';
import { brokerUnderTest } from '../broker-under-test.js';
import { Inbox } from './inbox.js';
import { Link } from './link.js';

const broker = await brokerUnderTest();

/** A channel whose errors a test expects as rejections; unhandled events would end the process. */
async function channelOf(t: TestContext): Promise<Channel> {
  const channel = await (await broker.amqplib(t)).createChannel();
  channel.on('error', () => undefined);
  return channel;
}

async function confirmChannelOf(t: TestContext): Promise<ConfirmChannel> {
  return (await broker.amqplib(t)).createConfirmChannel();
}

async function exclusiveQueue(channel: Channel, options: object = {}): Promise<string> {
  return (await channel.assertQueue('', { exclusive: true, ...options })).queue;
}

const text = (message: Message | null | false): string | undefined =>
  message ? message.content.toString() : undefined;

test('connect: the server says what it is', async (t) => {
  const connection = await broker.amqplib(t);
  const properties = connection.connection.serverProperties;
  assert.equal(properties.product, 'RabbitMQ');
  assert.match(properties.version, /^\d+\.\d+\.\d+/);
});

test('connect: a wrong password and a missing vhost are refused', async () => {
  const wrong = new URL(broker.url);
  wrong.password = 'wrong';
  await assert.rejects(connect(wrong.href), /ACCESS[_-]REFUSED/);
  const missing = new URL(broker.url);
  missing.pathname = '/no-such-vhost';
  await assert.rejects(connect(missing.href), /got <ConnectionClose/);
});

test('publish, consume and ack, with every property', async (t) => {
  const channel = await channelOf(t);
  const queue = await exclusiveQueue(channel);
  const inbox = new Inbox<ConsumeMessage | null>();
  await channel.consume(queue, inbox.put);
  const options = {
    contentType: 'text/plain',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 3,
    correlationId: 'c-1',
    replyTo: 'somewhere',
    expiration: '60000',
    messageId: 'm-1',
    timestamp: 1_700_000_000,
    type: 'greeting',
    userId: 'guest',
    appId: 'conformance',
  };
  const headers = {
    text: '三',
    int: 1,
    negative: -3,
    float: 1.5,
    yes: true,
    no: null,
    list: [1, 'a'],
    table: { deep: { deeper: 'x' } },
  };
  assert.equal(
    channel.sendToQueue(queue, Buffer.from('hello 世界'), { ...options, headers }),
    true,
  );

  const message = await inbox.first();
  assert.ok(message !== null);
  assert.equal(text(message), 'hello 世界');
  assert.deepEqual(message.properties.headers, headers);
  for (const [name, value] of Object.entries(options)) {
    assert.equal(Reflect.get(message.properties, name), value, name);
  }
  assert.deepEqual(
    {
      exchange: message.fields.exchange,
      routingKey: message.fields.routingKey,
      redelivered: message.fields.redelivered,
    },
    { exchange: '', routingKey: queue, redelivered: false },
  );
  channel.ack(message);
  await channel.recover(); // brings back what is not acked
  assert.equal(await channel.get(queue), false);
});

test('bodies from none to many frames come back whole', async (t) => {
  const channel = await channelOf(t);
  const queue = await exclusiveQueue(channel);
  for (const size of [0, 1, 131_063, 131_064, 131_065, 1_000_000]) {
    const body = Buffer.alloc(size, 0xce);
    channel.sendToQueue(queue, body);
    const inbox = new Inbox<ConsumeMessage | null>();
    const { consumerTag } = await channel.consume(queue, inbox.put, { noAck: true });
    assert.ok((await inbox.first())?.content.equals(body), `${size} bytes`);
    await channel.cancel(consumerTag);
  }
});

test('confirms: by callback and by waitForConfirms', async (t) => {
  const channel = await confirmChannelOf(t);
  const queue = await exclusiveQueue(channel);
  const confirmed = new Inbox<unknown>();
  for (let i = 0; i < 50; i++) {
    channel.sendToQueue(queue, Buffer.from(String(i)), { persistent: true }, confirmed.put);
  }
  await channel.waitForConfirms();
  assert.deepEqual(confirmed.items, Array(50).fill(null));
  assert.equal((await channel.checkQueue(queue)).messageCount, 50);
});

test('confirms: a full queue that rejects publishes nacks them', async (t) => {
  const channel = await confirmChannelOf(t);
  const queue = await exclusiveQueue(channel, { maxLength: 1, overflow: 'reject-publish' });
  channel.sendToQueue(queue, Buffer.from('fits'));
  await channel.waitForConfirms();
  const outcome = new Inbox<unknown>();
  channel.sendToQueue(queue, Buffer.from('too much'), {}, outcome.put);
  assert.ok((await outcome.first()) instanceof Error);
  assert.equal((await channel.checkQueue(queue)).messageCount, 1);
});

test('a mandatory message without a queue is returned, before its confirm', async (t) => {
  const channel = await confirmChannelOf(t);
  const events: string[] = [];
  channel.on('return', (message: Message) => {
    // A return has other fields than its type says.
    const fields = message.fields as unknown as { replyCode: number; replyText: string };
    events.push(`${fields.replyCode} ${fields.replyText} ${text(message)}`);
  });
  const confirmed = new Inbox<unknown>();
  channel.publish('amq.direct', 'nowhere', Buffer.from('lost'), { mandatory: true }, (error) => {
    events.push('confirm');
    confirmed.put(error);
  });
  assert.equal(await confirmed.first(), null);
  assert.deepEqual(events, ['312 NO_ROUTE lost', 'confirm']);
});

test('nack puts a message back at its place, redelivered', async (t) => {
  const channel = await channelOf(t);
  const queue = await exclusiveQueue(channel);
  for (const body of ['1', '2', '3']) channel.sendToQueue(queue, Buffer.from(body));
  const first = await channel.get(queue);
  assert.ok(first);
  assert.equal(first.fields.messageCount, 2);
  channel.nack(first);
  const order: string[] = [];
  for (let i = 0; i < 3; i++) {
    const message = await channel.get(queue, { noAck: true });
    assert.ok(message);
    order.push(`${text(message)} ${message.fields.redelivered}`);
  }
  assert.deepEqual(order, ['1 true', '2 false', '3 false']);
  assert.equal(await channel.get(queue), false);
});

test('reject without requeue goes to the dead-letter exchange', async (t) => {
  const channel = await channelOf(t);
  const dead = await exclusiveQueue(channel);
  const queue = await exclusiveQueue(channel, {
    deadLetterExchange: '',
    deadLetterRoutingKey: dead,
  });
  channel.sendToQueue(queue, Buffer.from('x'));
  const message = await channel.get(queue);
  assert.ok(message);
  const inbox = new Inbox<ConsumeMessage | null>();
  await channel.consume(dead, inbox.put, { noAck: true });
  channel.reject(message, false);
  const headers = (await inbox.first())?.properties.headers;
  const [death] = headers?.['x-death'] ?? [];
  assert.equal(death?.reason, 'rejected');
  assert.equal(death?.queue, queue);
  assert.equal(death?.count, 1);
  assert.equal(headers?.['x-first-death-queue'], queue);
});

test('prefetch holds deliveries back until acks come', async (t) => {
  const channel = await confirmChannelOf(t);
  const queue = await exclusiveQueue(channel);
  for (let i = 0; i < 5; i++) channel.sendToQueue(queue, Buffer.from(String(i)));
  await channel.waitForConfirms();
  await channel.prefetch(2);
  const inbox = new Inbox<ConsumeMessage | null>();
  await channel.consume(queue, inbox.put);
  await inbox.atLeast(2);
  // A round trip on the channel: a third delivery would have come before its answer.
  assert.equal((await channel.checkQueue(queue)).messageCount, 3);
  assert.equal(inbox.items.length, 2);
  channel.ack(inbox.items[1]!, true);
  await inbox.atLeast(4);
  assert.equal((await channel.checkQueue(queue)).messageCount, 1);
  channel.ackAll();
  assert.equal(text((await inbox.atLeast(5))[4]!), '4');
});

test('rpc by amq.rabbitmq.reply-to', async (t) => {
  const server = await channelOf(t);
  const queue = await exclusiveQueue(server);
  await server.consume(queue, (request) => {
    assert.ok(request !== null);
    assert.match(request.properties.replyTo, /^amq\.rabbitmq\.reply-to\./);
    const { correlationId } = request.properties;
    const answer = Buffer.from(`${text(request)}!`);
    server.publish('', request.properties.replyTo, answer, { correlationId });
    server.ack(request);
  });
  const client = await channelOf(t);
  const replies = new Inbox<ConsumeMessage | null>();
  await client.consume('amq.rabbitmq.reply-to', replies.put, { noAck: true });
  for (const correlationId of ['a', 'b']) {
    const options = { replyTo: 'amq.rabbitmq.reply-to', correlationId };
    client.sendToQueue(queue, Buffer.from(correlationId), options);
  }
  const got = (await replies.atLeast(2)).map(
    (reply) => `${reply?.properties.correlationId} ${text(reply)}`,
  );
  assert.deepEqual(got, ['a a!', 'b b!']);
});

test('topics, exchange bindings and the alternate exchange', async (t) => {
  const channel = await confirmChannelOf(t);
  const [topic, fanout, rest] = [
    broker.exchangeName(),
    broker.exchangeName(),
    broker.exchangeName(),
  ];
  await channel.assertExchange(rest, 'fanout');
  await channel.assertExchange(topic, 'topic', { alternateExchange: rest });
  await channel.assertExchange(fanout, 'fanout', { internal: true });
  await channel.bindExchange(fanout, topic, 'kern.#');
  const kernel = await exclusiveQueue(channel);
  const other = await exclusiveQueue(channel);
  await channel.bindQueue(kernel, fanout, '');
  await channel.bindQueue(other, rest, '');
  for (const key of ['kern', 'kern.disk.full', 'cron.late']) {
    channel.publish(topic, key, Buffer.from(key));
  }
  await channel.waitForConfirms();
  assert.equal((await channel.checkQueue(kernel)).messageCount, 2);
  assert.equal(text(await channel.get(other, { noAck: true })), 'cron.late');
  await channel.unbindExchange(fanout, topic, 'kern.#');
  channel.publish(topic, 'kern', Buffer.from('now to the rest'));
  await channel.waitForConfirms();
  assert.equal(text(await channel.get(other, { noAck: true })), 'now to the rest');
  assert.equal((await channel.purgeQueue(kernel)).messageCount, 2);
});

test('a consumer of a deleted queue is told by a null message', async (t) => {
  const channel = await channelOf(t);
  const queue = broker.queueName();
  await channel.assertQueue(queue);
  const inbox = new Inbox<ConsumeMessage | null>();
  await channel.consume(queue, inbox.put);
  await channel.deleteQueue(queue);
  assert.equal(await inbox.first(), null);
});

test('a refused operation closes its channel with the code and method, no more', async (t) => {
  const connection = await broker.amqplib(t);
  const refused = async (
    code: number,
    pattern: RegExp,
    operation: (channel: Channel) => Promise<unknown>,
  ): Promise<void> => {
    const channel = await connection.createChannel();
    const errors = new Inbox<Error>();
    channel.on('error', errors.put);
    await assert.rejects(operation(channel), (error: Error & { code?: number }) => {
      assert.equal(error.code, code);
      assert.match(error.message, pattern);
      return true;
    });
    await errors.first();
  };
  const [queue, missing] = [broker.queueName(), broker.queueName()];
  const setUp = await connection.createChannel();
  await setUp.assertQueue(queue, { durable: true });

  await refused(404, new RegExp(`NOT_FOUND - no queue '${missing}' in vhost '/'`), (channel) =>
    channel.checkQueue(missing),
  );
  await refused(404, new RegExp(`no exchange '${missing}' in vhost '/'`), (channel) =>
    channel.bindQueue(queue, missing, ''),
  );
  await refused(
    406,
    /inequivalent arg 'durable' for queue .*: received 'false' but current is 'true'/,
    (channel) => channel.assertQueue(queue, { durable: false }),
  );
  await refused(403, /ACCESS_REFUSED/, (channel) => channel.assertQueue('amq.mine'));
  const other = await (await broker.amqplib(t)).createChannel();
  const theirs = await exclusiveQueue(other);
  await refused(405, /RESOURCE_LOCKED/, (channel) => channel.checkQueue(theirs));

  assert.equal((await setUp.checkQueue(queue)).queue, queue);
});

test('publishing to a missing exchange closes the channel by itself', async (t) => {
  const channel = await (await broker.amqplib(t)).createChannel();
  const failed = once(channel, 'error');
  const missing = broker.exchangeName();
  channel.publish(missing, '', Buffer.from('x'));
  const [error] = await failed;
  assert.equal(error.code, 404);
  assert.match(error.message, new RegExp(`no exchange '${missing}' in vhost '/'`));
  assert.deepEqual([error.classId, error.methodId], [60, 40]);
});

test('a message expires into the dead-letter exchange', async (t) => {
  const channel = await channelOf(t);
  const dead = await exclusiveQueue(channel);
  const options = { messageTtl: 1, deadLetterExchange: '', deadLetterRoutingKey: dead };
  const queue = await exclusiveQueue(channel, options);
  const inbox = new Inbox<ConsumeMessage | null>();
  await channel.consume(dead, inbox.put, { noAck: true });
  channel.sendToQueue(queue, Buffer.from('late'));
  const expired = await inbox.first();
  assert.equal(expired?.properties.headers?.['x-first-death-reason'], 'expired');
});

test('what was not acked goes to another connection when the first is cut', async (t) => {
  const link = await Link.open(t, broker.url);
  const first = await connect(link.url);
  first.on('error', () => undefined); // the cut, which is the test
  const queue = broker.queueName();
  const channel = await first.createChannel();
  await channel.assertQueue(queue);
  const taken = new Inbox<ConsumeMessage | null>();
  await channel.consume(queue, taken.put);
  channel.sendToQueue(queue, Buffer.from('precious'));
  await taken.first();

  const rescued = new Inbox<ConsumeMessage | null>();
  await (await channelOf(t)).consume(queue, rescued.put, { noAck: true });
  link.cut();
  const message = await rescued.first();
  assert.equal(text(message), 'precious');
  assert.equal(message?.fields.redelivered, true);
});

test('recovery: a broken socket is replaced and its topology set up again', async (t) => {
  const link = await Link.open(t, broker.url);
  const queue = broker.queueName();
  const inbox = new Inbox<ConsumeMessage | null>();
  const connection = await connect(link.url, {
    recovery: {
      initialDelay: 10,
      jitter: 0,
      async setup(model: ChannelModel): Promise<void> {
        const channel = await model.createChannel();
        await channel.assertQueue(queue);
        await channel.consume(queue, inbox.put, { noAck: true });
      },
    },
  });
  connection.on('error', () => undefined); // the cut, which is the test
  t.after(() => connection.close());
  const publisher = await channelOf(t);
  publisher.sendToQueue(queue, Buffer.from('before'));
  await inbox.atLeast(1);

  const connects = new Inbox<unknown>();
  connection.on('connect', connects.put);
  link.cut();
  await connects.first();
  publisher.sendToQueue(queue, Buffer.from('after'));
  assert.deepEqual((await inbox.atLeast(2)).map(text), ['before', 'after']);
});

test('a heartbeat of one second keeps an idle connection', async (t) => {
  const link = await Link.open(t, broker.url);
  const connection = await connect(`${link.url}?heartbeat=1`);
  // Six from the broker at one every half second: well past the two missed that would end it.
  await link.brokerHeartbeats.atLeast(6);
  await link.clientHeartbeats.atLeast(3);
  const channel = await connection.createChannel();
  await exclusiveQueue(channel);
  await connection.close();
});
