import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  AMQPClient,
  AMQPError,
  type AMQPMessage,
  AMQPSession,
  builtinCoders,
  builtinParsers,
} from '@cloudamqp/amqp-client';
import { brokerUnderTest } from '../broker-under-test.js';
import { Inbox } from './inbox.js';
import { Link } from './link.js';

const broker = await brokerUnderTest();

async function sessionOf(t: TestContext): Promise<AMQPSession> {
  const session = await AMQPSession.connect(broker.url, { logger: null });
  t.after(() => session.stop());
  return session;
}

async function clientOf(t: TestContext): Promise<AMQPClient> {
  const client = new AMQPClient(broker.url, undefined, null);
  await client.connect();
  t.after(async () => {
    if (!client.closed) await client.close();
  });
  return client;
}

test('session: publish waits for the confirm, a callback subscription acks', async (t) => {
  const session = await sessionOf(t);
  const queue = await session.queue(broker.queueName());
  await queue.publish('Hello 世界', { deliveryMode: 2, headers: { n: 1, list: ['a', true] } });
  const inbox = new Inbox<AMQPMessage>();
  const subscription = await queue.subscribe(inbox.put);
  const message = await inbox.first();
  assert.equal(message.bodyString(), 'Hello 世界');
  assert.deepEqual(message.properties.headers, { n: 1, list: ['a', true] });
  assert.equal(message.redelivered, false);
  await subscription.cancel();
  assert.equal(await queue.get(), null);
});

test('session: a callback that throws has its message again', async (t) => {
  const session = await sessionOf(t);
  const queue = await session.queue(broker.queueName());
  const inbox = new Inbox<boolean>();
  const subscription = await queue.subscribe((message) => {
    inbox.put(message.redelivered);
    if (!message.redelivered) throw new Error('on purpose');
  });
  await queue.publish('x');
  assert.deepEqual(await inbox.atLeast(2), [false, true]);
  await subscription.cancel();
});

test('session: an async iterator, with prefetch and one nack', async (t) => {
  const session = await sessionOf(t);
  const queue = await session.queue(broker.queueName());
  for (const body of ['a', 'b', 'c']) await queue.publish(body);
  const seen: string[] = [];
  for await (const message of await queue.subscribe({ prefetch: 1, manualAck: true })) {
    seen.push(`${message.bodyString()} ${message.redelivered}`);
    if (seen.length === 1) await message.nack(true);
    else await message.ack();
    if (message.bodyString() === 'c') break;
  }
  assert.deepEqual(seen, ['a false', 'a true', 'b false', 'c false']);
});

test('session: exchanges of every type', async (t) => {
  const session = await sessionOf(t);
  const queue = await session.queue('', { exclusive: true });
  const names = Array.from({ length: 4 }, () => broker.exchangeName()) as [
    string,
    string,
    string,
    string,
  ];
  const topic = await session.topicExchange(names[0]);
  const fanout = await session.fanoutExchange(names[1]);
  const direct = await session.directExchange(names[2]);
  const headers = await session.headersExchange(names[3]);
  await queue.bind(topic, 'events.#');
  await queue.bind(fanout);
  await queue.bind(direct, 'key');
  await queue.bind(headers, '', { 'x-match': 'any', a: '1', b: '2' });
  await topic.publish('topic', { routingKey: 'events.user.created' });
  await topic.publish('no', { routingKey: 'other' });
  await fanout.publish('fanout');
  await direct.publish('direct', { routingKey: 'key' });
  await direct.publish('no', { routingKey: 'other' });
  await headers.publish('headers', { headers: { b: '2' } });
  await headers.publish('no', { headers: { b: '1' } });
  const bodies: (string | null)[] = [];
  for (let message = await queue.get(); message !== null; message = await queue.get()) {
    bodies.push(message.bodyString());
  }
  assert.deepEqual(bodies, ['topic', 'fanout', 'direct', 'headers']);
  await queue.unbind(fanout);
  await fanout.delete({ ifUnused: true });
});

test('session: bodies are coded by content type and encoding', async (t) => {
  const session = await AMQPSession.connect(broker.url, {
    logger: null,
    parsers: builtinParsers,
    coders: builtinCoders,
    defaultContentType: 'application/json',
    defaultContentEncoding: 'gzip',
  });
  t.after(() => session.stop());
  const queue = await session.queue(broker.queueName());
  await queue.publish({ task: 'resize', id: 42 });
  const message = await queue.consumeOne({ timeout: 10_000 });
  assert.deepEqual(message.body, { task: 'resize', id: 42 });
  assert.equal(message.properties.contentEncoding, 'gzip');
});

test('session: a mandatory message without a queue is returned', async (t) => {
  const returned = new Inbox<AMQPMessage>();
  const session = await AMQPSession.connect(broker.url, { logger: null, onreturn: returned.put });
  t.after(() => session.stop());
  const exchange = await session.directExchange();
  await exchange.publish('lost', { routingKey: 'nowhere', mandatory: true });
  const message = await returned.first();
  assert.deepEqual(
    [message.replyCode, message.replyText, message.bodyString()],
    [312, 'NO_ROUTE', 'lost'],
  );
});

test('session: rpc, one by one and by a reusable client', async (t) => {
  const session = await sessionOf(t);
  const queue = broker.queueName();
  await session.queue(queue);
  const server = await session.rpcServer(queue, (message) => `${message.bodyString()}!`);
  const reply = await session.rpcCall(queue, 'hello', { timeout: 10_000 });
  assert.equal(reply.bodyToString(), 'hello!');
  const rpc = await session.rpcClient();
  const replies = await Promise.all([rpc.call(queue, 'a'), rpc.call(queue, 'b')]);
  assert.deepEqual(
    replies.map((each) => each.bodyString()),
    ['a!', 'b!'],
  );
  await rpc.close();
  await server.close();
});

test('session: a broken socket is replaced, and its subscription goes on', async (t) => {
  const link = await Link.open(t, broker.url);
  const [connects, disconnects] = [new Inbox<unknown>(), new Inbox<unknown>()];
  const session = await AMQPSession.connect(link.url, {
    logger: null,
    reconnectInterval: 10,
    onconnect: connects.put,
    ondisconnect: disconnects.put,
  });
  t.after(() => session.stop());
  const queue = await session.queue(broker.queueName());
  const inbox = new Inbox<string | null>();
  await queue.subscribe((message) => inbox.put(message.bodyString()));
  await queue.publish('before');
  await inbox.where((body) => body === 'before');

  link.cut();
  await disconnects.first();
  await connects.atLeast(2);
  await queue.publish('after');
  await inbox.where((body) => body === 'after');
});

test('client: consume, ack and cancel on a channel', async (t) => {
  const channel = await (await clientOf(t)).channel();
  const queue = await channel.queueDeclare(broker.queueName());
  assert.deepEqual([queue.messageCount, queue.consumerCount], [0, 0]);
  await channel.basicPublish('', queue.name, 'one', {
    contentType: 'text/plain',
    priority: 4,
    timestamp: new Date(1_700_000_000_000),
    messageId: 'm',
  });
  const inbox = new Inbox<AMQPMessage>();
  const consumer = await channel.basicConsume(queue.name, { noAck: false }, inbox.put);
  const message = await inbox.first();
  assert.equal(message.bodyToString(), 'one');
  const { contentType, priority, timestamp, messageId } = message.properties;
  assert.deepEqual(
    [contentType, priority, timestamp?.getTime(), messageId],
    ['text/plain', 4, 1_700_000_000_000, 'm'],
  );
  await message.ack();
  await consumer.cancel();
  await consumer.wait();
  assert.equal((await channel.queueDelete(queue.name)).messageCount, 0);
});

test('client: get, reject, recover and purge', async (t) => {
  const channel = await (await clientOf(t)).channel();
  await channel.confirmSelect();
  const { name } = await channel.queueDeclare('', { exclusive: true });
  for (const body of ['a', 'b', 'c']) await channel.basicPublish('', name, body);
  const first = await channel.basicGet(name, { noAck: false });
  assert.equal(first?.messageCount, 2);
  await first?.reject(false);
  const second = await channel.basicGet(name, { noAck: false });
  assert.equal(second?.bodyToString(), 'b');
  await channel.basicRecover(true);
  const again = await channel.basicGet(name, { noAck: false });
  assert.deepEqual([again?.bodyToString(), again?.redelivered], ['b', true]);
  await again?.nack(true);
  assert.equal((await channel.queuePurge(name)).messageCount, 2);
  assert.equal(await channel.basicGet(name), null);
});

test('client: a transaction is committed or rolled back', async (t) => {
  const client = await clientOf(t);
  const channel = await client.channel();
  const { name } = await channel.queueDeclare('', { exclusive: true });
  await channel.txSelect();
  await channel.basicPublish('', name, 'rolled back');
  await channel.txRollback();
  await channel.basicPublish('', name, 'committed');
  const observer = await client.channel();
  assert.equal(await observer.basicGet(name), null);
  await channel.txCommit();
  assert.equal((await observer.basicGet(name))?.bodyToString(), 'committed');
  assert.equal(await observer.basicGet(name), null);
});

test('client: a refused operation rejects with the text, and the connection lives', async (t) => {
  const client = await clientOf(t);
  const channel = await client.channel();
  channel.onerror = () => undefined;
  const missing = broker.queueName();
  await assert.rejects(channel.queueDeclare(missing, { passive: true }), (error) => {
    assert.ok(error instanceof AMQPError);
    assert.ok(error.message.includes(`NOT_FOUND - no queue '${missing}' in vhost '/' (404)`));
    return true;
  });
  const other = await client.channel();
  await other.exchangeDeclare(broker.exchangeName(), 'fanout', { durable: false });
});

test('client: a consumer of a deleted queue ends', async (t) => {
  const channel = await (await clientOf(t)).channel();
  const { name } = await channel.queueDeclare(broker.queueName());
  const consumer = await channel.basicConsume(name, { noAck: true });
  await channel.basicPublish('', name, 'last');
  const seen: (string | null)[] = [];
  await assert.rejects(async () => {
    for await (const message of consumer.messages) {
      seen.push(message.bodyToString());
      await channel.queueDelete(name);
    }
  }, /cancel/i);
  assert.deepEqual(seen, ['last']);
});

test('client: a heartbeat of one second keeps an idle connection', async (t) => {
  const link = await Link.open(t, broker.url);
  const client = new AMQPClient(`${link.url}?heartbeat=1`, undefined, null);
  const drops = new Inbox<unknown>();
  client.ondisconnect = drops.put;
  await client.connect();
  assert.equal(client.heartbeat, 1);
  // Six from the broker at one every half second: well past the two missed that would end it.
  await link.brokerHeartbeats.atLeast(6);
  await link.clientHeartbeats.atLeast(3);
  await (await client.channel()).queueDeclare('', { exclusive: true });
  assert.deepEqual(drops.items, []);
  await client.close();
});
