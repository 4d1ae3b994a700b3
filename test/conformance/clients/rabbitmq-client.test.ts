import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  type AsyncMessage,
  Connection,
  ConsumerStatus,
  type ReturnedMessage,
} from 'rabbitmq-client';
import { brokerUnderTest } from '../broker-under-test.js';
import { Inbox } from './inbox.js';
import { Link } from './link.js';

const broker = await brokerUnderTest();

/**
 * A connection whose errors go to an inbox. A test closes what it opens; should it fail before, the
 * connection is destroyed, as closing it would wait for its channels.
 */
function connectionOf(
  t: TestContext,
  url: string = broker.url,
): { rabbit: Connection; errors: Inbox<Error> } {
  const rabbit = new Connection({ url, retryLow: 10, retryHigh: 100 });
  const errors = new Inbox<Error>();
  rabbit.on('error', errors.put);
  t.after(() => rabbit.unsafeDestroy());
  return { rabbit, errors };
}

const code = (expected: string) => (error: Error & { code?: string }) => {
  assert.equal(error.code, expected, error.message);
  return true;
};

test('a consumer and a publisher over a topic exchange', async (t) => {
  const { rabbit } = connectionOf(t);
  const [queue, exchange] = [broker.queueName(), broker.exchangeName()];
  const inbox = new Inbox<AsyncMessage>();
  const consumer = rabbit.createConsumer(
    {
      queue,
      queueOptions: { durable: true },
      qos: { prefetchCount: 2 },
      exchanges: [{ exchange, type: 'topic' }],
      queueBindings: [{ exchange, routingKey: 'users.*' }],
    },
    inbox.put,
  );
  const consumerErrors = new Inbox<Error>();
  consumer.on('error', consumerErrors.put);
  await new Promise((resolve) => consumer.once('ready', () => resolve(undefined)));

  const publisher = rabbit.createPublisher({
    confirm: true,
    maxAttempts: 2,
    exchanges: [{ exchange, type: 'topic' }],
  });
  await publisher.send({ exchange, routingKey: 'users.visit' }, { id: 1, name: '阿兰' });
  await publisher.send({ exchange, routingKey: 'other.visit' }, 'not for this consumer');
  await publisher.send({ routingKey: queue, headers: { n: 5 } }, 'straight to the queue');

  const [visit, direct] = await inbox.atLeast(2);
  assert.deepEqual(visit?.body, { id: 1, name: '阿兰' });
  assert.equal(visit?.contentType, 'application/json');
  assert.deepEqual([visit?.exchange, visit?.routingKey], [exchange, 'users.visit']);
  assert.equal(direct?.body, 'straight to the queue');
  assert.deepEqual(direct?.headers, { n: 5 });

  await publisher.close();
  await consumer.close();
  // Returning from the handler is the ack, so nothing comes back.
  assert.equal((await rabbit.queueDeclare({ queue, passive: true })).messageCount, 0);
  assert.deepEqual(consumerErrors.items, []);
});

test('a handler answers with ack, requeue and drop, or throws', async (t) => {
  const { rabbit } = connectionOf(t);
  const [queue, dead] = [broker.queueName(), broker.queueName()];
  await rabbit.queueDeclare({ queue: dead });
  const seen = new Inbox<string>();
  const consumer = rabbit.createConsumer(
    {
      queue,
      requeue: false,
      concurrency: 1,
      queueOptions: {
        arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead },
      },
    },
    (message) => {
      seen.put(`${message.body} ${message.redelivered}`);
      if (message.body === 'drop') return ConsumerStatus.DROP;
      if (message.body === 'throw') throw new Error('on purpose');
      return message.redelivered ? ConsumerStatus.ACK : ConsumerStatus.REQUEUE;
    },
  );
  const errors = new Inbox<Error>();
  consumer.on('error', errors.put);
  const publisher = rabbit.createPublisher({ confirm: true, queues: [{ queue, passive: true }] });
  await new Promise((resolve) => consumer.once('ready', () => resolve(undefined)));
  for (const body of ['again', 'drop', 'throw']) await publisher.send(queue, body);

  const lines = new Set(await seen.atLeast(4));
  assert.deepEqual(lines, new Set(['again false', 'again true', 'drop false', 'throw false']));
  assert.equal((await errors.first()).message, 'on purpose');
  await publisher.close();
  await consumer.close();
  const bodies = new Set<unknown>();
  for (;;) {
    const message = await rabbit.basicGet({ queue: dead, noAck: true });
    if (message === undefined) break;
    bodies.add(message.body);
  }
  assert.deepEqual(bodies, new Set(['drop', 'throw']));
});

test('an unroutable message is returned, and confirmed', async (t) => {
  const { rabbit } = connectionOf(t);
  const returned = new Inbox<ReturnedMessage>();
  const publisher = rabbit.createPublisher({ confirm: true });
  publisher.on('basic.return', returned.put);
  await publisher.send({ routingKey: 'no-such-queue', mandatory: true }, 'lost');
  const message = await returned.first();
  assert.deepEqual([message.replyCode, message.replyText, message.body], [312, 'NO_ROUTE', 'lost']);
  await publisher.close();
});

test('a nacked publish rejects', async (t) => {
  const { rabbit } = connectionOf(t);
  const queue = broker.queueName();
  await rabbit.queueDeclare({
    queue,
    arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
  });
  const publisher = rabbit.createPublisher({ confirm: true });
  await publisher.send(queue, 'fits');
  await assert.rejects(publisher.send(queue, 'too much'), code('NACK'));
  await publisher.close();
});

test('rpc over direct reply-to', async (t) => {
  const { rabbit } = connectionOf(t);
  const queue = broker.queueName();
  const server = rabbit.createConsumer({ queue }, async (request, reply) => {
    await reply(`pong to ${request.body}`);
  });
  await new Promise((resolve) => server.once('ready', () => resolve(undefined)));
  const client = rabbit.createRPCClient({ confirm: true });
  const replies = await Promise.all([client.send(queue, 'a'), client.send(queue, 'b')]);
  assert.deepEqual(
    replies.map((reply) => reply.body),
    ['pong to a', 'pong to b'],
  );
  await client.close();
  await server.close();
});

test('topology is declared, bound, unbound, purged and deleted', async (t) => {
  const { rabbit } = connectionOf(t);
  const [queue, source, destination] = [
    broker.queueName(),
    broker.exchangeName(),
    broker.exchangeName(),
  ];
  await rabbit.exchangeDeclare({ exchange: source, type: 'direct', autoDelete: false });
  await rabbit.exchangeDeclare({ exchange: destination, type: 'headers' });
  await rabbit.exchangeBind({ source, destination, routingKey: 'k' });
  assert.deepEqual(await rabbit.queueDeclare({ queue }), {
    queue,
    messageCount: 0,
    consumerCount: 0,
  });
  const binding = {
    queue,
    exchange: destination,
    arguments: { 'x-match': 'all', format: 'pdf', pages: 3 },
  };
  await rabbit.queueBind(binding);

  const publisher = rabbit.createPublisher({ confirm: true });
  const envelope = { exchange: source, routingKey: 'k' };
  await publisher.send({ ...envelope, headers: { format: 'pdf', pages: 3 } }, 'in');
  await publisher.send({ ...envelope, headers: { format: 'pdf', pages: 4 } }, 'out');
  const message = await rabbit.basicGet({ queue, noAck: true });
  assert.equal(message?.body, 'in');
  assert.equal(message?.messageCount, 0);

  await rabbit.queueUnbind(binding);
  await publisher.send({ ...envelope, headers: { format: 'pdf', pages: 3 } }, 'out');
  await rabbit.exchangeUnbind({ source, destination, routingKey: 'k' });
  await rabbit.exchangeDelete({ exchange: source, ifUnused: true });
  await publisher.send(queue, 'one');
  assert.equal((await rabbit.queuePurge(queue)).messageCount, 1);
  await publisher.send(queue, 'two');
  await assert.rejects(rabbit.queueDelete({ queue, ifEmpty: true }), code('PRECONDITION_FAILED'));
  await publisher.close();
  assert.equal((await rabbit.queueDelete(queue)).messageCount, 1);
  await assert.rejects(rabbit.queueDeclare({ queue, passive: true }), code('NOT_FOUND'));
});

test('a channel in transaction mode commits and rolls back', async (t) => {
  const { rabbit } = connectionOf(t);
  const queue = broker.queueName();
  await rabbit.queueDeclare({ queue });
  const channel = await rabbit.acquire();
  await channel.txSelect();
  await channel.basicPublish(queue, 'rolled back');
  await channel.txRollback();
  await channel.basicPublish(queue, 'committed');
  assert.equal(await rabbit.basicGet(queue), undefined);
  await channel.txCommit();
  assert.equal((await rabbit.basicGet({ queue, noAck: true }))?.body, 'committed');
  assert.equal(await rabbit.basicGet(queue), undefined);
  await channel.close();
});

test('a consumer of a deleted queue declares it again', async (t) => {
  const { rabbit } = connectionOf(t);
  const queue = broker.queueName();
  const inbox = new Inbox<AsyncMessage>();
  const consumer = rabbit.createConsumer({ queue }, inbox.put);
  const [ready, errors] = [new Inbox<void>(), new Inbox<Error>()];
  consumer.on('ready', ready.put);
  consumer.on('error', errors.put);
  await ready.atLeast(1);
  await rabbit.queueDelete(queue);
  assert.equal(((await errors.first()) as Error & { code?: string }).code, 'CANCEL_FORCED');
  await ready.atLeast(2);
  const publisher = rabbit.createPublisher({ confirm: true });
  await publisher.send(queue, 'to the new queue');
  assert.equal((await inbox.first()).body, 'to the new queue');
  await publisher.close();
  await consumer.close();
});

test('a broken socket: the consumer and the publisher go on', async (t) => {
  const link = await Link.open(t, broker.url);
  const { rabbit, errors } = connectionOf(t, link.url);
  const queue = broker.queueName();
  const inbox = new Inbox<AsyncMessage>();
  const consumer = rabbit.createConsumer({ queue }, inbox.put);
  const ready = new Inbox<void>();
  consumer.on('ready', ready.put);
  consumer.on('error', () => undefined); // the cut, which is the test
  await ready.atLeast(1);
  const publisher = rabbit.createPublisher({ confirm: true, maxAttempts: 5 });
  await publisher.send(queue, 'before');
  await inbox.atLeast(1);

  link.cut();
  await errors.first();
  await ready.atLeast(2);
  await publisher.send(queue, 'after');
  // The cut may have caught the first one's ack, and then it has come twice.
  await inbox.where((message) => message.body === 'after');
  await publisher.close();
  await consumer.close();
});

test('a heartbeat of one second keeps an idle connection', async (t) => {
  const link = await Link.open(t, broker.url);
  const rabbit = new Connection({ url: link.url, heartbeat: 1 });
  const errors = new Inbox<Error>();
  rabbit.on('error', errors.put);
  await rabbit.onConnect();
  // Six from the broker at one every half second: well past the two missed that would end it.
  await link.brokerHeartbeats.atLeast(6);
  await link.clientHeartbeats.atLeast(3);
  await rabbit.queueDeclare({ queue: broker.queueName(), exclusive: true });
  await rabbit.close();
  assert.deepEqual(errors.items, []);
});
