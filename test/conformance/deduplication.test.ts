import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Channel, ConfirmChannel, GetMessage } from 'amqplib';
import { controlledBroker, hasExchangeType } from './controlled-broker.js';
import { TurnedBroker } from './topologies/turned-broker.js';

const { broker, control } = await controlledBroker();
const has = await hasDeduplication();
const options = { skip: has ? false : 'the broker has no x-message-deduplication' };

const TYPE = 'x-message-deduplication';
const HEADER = 'x-deduplication-header';
const ON = { 'x-message-deduplication': true };

/** A broker without the plugin refuses the type; one with it misses its argument. */
async function hasDeduplication(): Promise<boolean> {
  return !broker.isRabbit || (await hasExchangeType(broker, TYPE));
}

async function channelOf(t: TestContext): Promise<ConfirmChannel> {
  const connection = await broker.amqplib(t);
  return await connection.createConfirmChannel();
}

/** Publishes messages with these keys, and waits until the broker has taken them or not. */
async function publish(
  channel: ConfirmChannel,
  exchange: string,
  routingKey: string,
  ...keys: readonly unknown[]
): Promise<void> {
  for (const key of keys) {
    const headers = key === undefined ? {} : { [HEADER]: key };
    channel.publish(exchange, routingKey, Buffer.from(String(key)), { headers });
  }
  await channel.waitForConfirms();
}

async function drain(channel: Channel, queue: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) return bodies;
    bodies.push(message.content.toString());
  }
}

async function queueOf(channel: Channel, args: Record<string, unknown> = {}): Promise<string> {
  const queue = broker.queueName();
  await channel.assertQueue(queue, { durable: false, arguments: args });
  return queue;
}

/** An exchange with a queue that gets all it lets through. */
async function exchangeOf(
  channel: Channel,
  type: string,
  args: Record<string, unknown>,
): Promise<{ exchange: string; queue: string }> {
  const exchange = broker.exchangeName();
  await channel.assertExchange(exchange, type, { durable: false, arguments: args });
  const queue = await queueOf(channel);
  await channel.bindQueue(queue, exchange, '#');
  return { exchange, queue };
}

/** The message, which must be there, taken and not acknowledged. */
async function taken(channel: Channel, queue: string): Promise<GetMessage> {
  const message = await channel.get(queue);
  assert.ok(message !== false);
  return message;
}

describe('an exchange that deduplicates', options, () => {
  test('is declared with numbers of any width, or text', async (t) => {
    const channel = await channelOf(t);
    for (const [size, ttl, persistence] of [
      [10, 1_000, 'memory'],
      [{ '!': 'short', value: 10 }, { '!': 'short', value: 1_000 }, 'memory'],
      [{ '!': 'long', value: 10 }, { '!': 'long', value: 1_000 }, 'memory'],
      ['10', '1000', 'disk'],
    ]) {
      const args = { 'x-cache-size': size, 'x-cache-ttl': ttl, 'x-cache-persistence': persistence };
      await channel.assertExchange(broker.exchangeName(), TYPE, { arguments: args });
    }
  });

  for (const args of [{ 'x-cache-size': 'foo', 'x-cache-ttl': 'bar' }, {}]) {
    test(`is refused with ${JSON.stringify(args)}`, async (t) => {
      const channel = await channelOf(t);
      channel.on('error', () => {});
      await assert.rejects(
        channel.assertExchange(broker.exchangeName(), TYPE, { arguments: args }),
        /406.*'x-cache-size' must be an integer greater than 0/,
      );
    });
  }

  test('lets each key through once, and all that has none', async (t) => {
    const channel = await channelOf(t);
    const { exchange, queue } = await exchangeOf(channel, TYPE, { 'x-cache-size': 10 });
    await publish(channel, exchange, '#', ...Array(5).fill('this'));
    assert.deepEqual(await drain(channel, queue), ['this']);
    await publish(channel, exchange, '#', undefined, undefined);
    assert.equal((await drain(channel, queue)).length, 2);
  });

  test('forgets one key for another when it is full', async (t) => {
    const channel = await channelOf(t);
    const { exchange, queue } = await exchangeOf(channel, TYPE, { 'x-cache-size': 1 });
    await publish(channel, exchange, '#', 'this', 'that', 'this');
    assert.deepEqual(await drain(channel, queue), ['this', 'that', 'this']);
  });

  test('goes by a policy while there is one', { skip: !control }, async (t) => {
    const channel = await channelOf(t);
    const { exchange, queue } = await exchangeOf(channel, TYPE, { 'x-cache-size': 1 });
    const definition = { 'x-cache-size': 5 };
    await control?.setPolicy({ name: exchange, pattern: `^${exchange}$`, definition });
    t.after(() => control?.clearPolicy(exchange));
    await publish(channel, exchange, '#', 'this', 'that', 'this');
    assert.deepEqual(await drain(channel, queue), ['this', 'that']);
  });

  test('returns a mandatory duplicate, and confirms it', async (t) => {
    const channel = await channelOf(t);
    const { exchange } = await exchangeOf(channel, TYPE, { 'x-cache-size': 10 });
    const returned: unknown[] = [];
    // amqplib's types know the fields of deliveries alone.
    channel.on('return', ({ fields }: { fields: unknown }) => returned.push(fields));
    for (let i = 0; i < 2; i++) {
      const headers = { [HEADER]: 'this' };
      channel.publish(exchange, '', Buffer.alloc(0), { mandatory: true, headers });
    }
    await channel.waitForConfirms();
    assert.deepEqual(
      returned.map((fields) => (fields as { replyCode: number }).replyCode),
      [312],
    );
  });
});

describe('a queue that deduplicates', options, () => {
  test('holds each key once, whatever its type', async (t) => {
    const channel = await channelOf(t);
    const queue = await queueOf(channel, ON);
    // RabbitMQ's plugin has a queue refuse duplicates.
    const duplicates = publish(channel, '', queue, 'this', 'this', 42, 42, 4.2, 4.2, null, null);
    if (broker.isRabbit) await duplicates.catch(() => {});
    else await duplicates;
    assert.deepEqual(await drain(channel, queue), ['this', '42', '4.2', 'null']);
    await publish(channel, '', queue, undefined, undefined);
    assert.equal((await drain(channel, queue)).length, 2);
  });

  test('takes a key again once its message is acknowledged', async (t) => {
    const channel = await channelOf(t);
    const queue = await queueOf(channel, ON);
    await publish(channel, '', queue, 'this');
    channel.ack(await taken(channel, queue));
    await publish(channel, '', queue, 'this');
    await taken(channel, queue);
  });

  test('takes a key again once its message had to make room', async (t) => {
    const channel = await channelOf(t);
    const queue = await queueOf(channel, { ...ON, 'x-max-length': 1 });
    await publish(channel, '', queue, 'this', 'that', 'this');
    assert.deepEqual(await drain(channel, queue), ['this']);
  });

  test('takes a key again once its message is a dead letter', async (t) => {
    const channel = await channelOf(t);
    const dead = await queueOf(channel, ON);
    const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
    const queue = await queueOf(channel, { ...ON, ...args });
    await publish(channel, '', queue, 'this');
    channel.reject(await taken(channel, queue), false);
    await publish(channel, '', queue, 'this');
    await taken(channel, queue);
    assert.deepEqual(await drain(channel, dead), ['this']);
  });

  test('lets a consumer that does not acknowledge have a key twice', async (t) => {
    const channel = await channelOf(t);
    const queue = await queueOf(channel, ON);
    let tell: () => void = () => {};
    const received = (): Promise<void> =>
      new Promise((resolve) => {
        tell = resolve;
      });
    const first = received();
    await channel.consume(queue, () => tell(), { noAck: true });
    await publish(channel, '', queue, 'this');
    await first;
    const second = received();
    await publish(channel, '', queue, 'this');
    await second;
  });

  test('does so by a policy while there is one', {
    skip: !control || broker.isRabbit,
  }, async (t) => {
    const channel = await channelOf(t);
    const queue = await queueOf(channel);
    const definition = { 'x-message-deduplication': true };
    await control?.setPolicy({ name: queue, pattern: `^${queue}$`, definition });
    await publish(channel, '', queue, 'this', 'this');
    assert.deepEqual(await drain(channel, queue), ['this']);
    await control?.clearPolicy(queue);
    await publish(channel, '', queue, 'this', 'this');
    assert.deepEqual(await drain(channel, queue), ['this', 'this']);
  });
});

describe('duplicates in a transaction', { skip: broker.isRabbit }, () => {
  test('are found when it is committed, and leave nothing when it is not', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.declare', { exchange, type: 'fanout', arguments: ON });
    await raw.call(1, 'queue.bind', { queue, exchange });
    await raw.call(1, 'tx.select');
    const send = (body: string): void =>
      raw.publish(1, { exchange }, body, { headers: { [HEADER]: 'this' } });
    send('rolled back');
    await raw.call(1, 'tx.rollback');
    send('first');
    send('second');
    await raw.call(1, 'tx.commit');
    send('third');
    await raw.call(1, 'tx.commit');
    assert.deepEqual(await raw.drain(1, queue), ['first']);
  });
});

describe('what the documents of the plugin say of time', () => {
  for (const [what, argument] of [
    ['an exchange', 'x-cache-ttl'],
    ['a queue', 'x-message-ttl'],
  ] as const) {
    test(`${what} forgets a key with its time to live, or the message's own`, async (t) => {
      const turned = await TurnedBroker.start(t);
      const raw = await turned.rawChannel();
      const isQueue = what === 'a queue';
      const args = { [argument]: 1_000, ...(isQueue ? ON : { 'x-cache-size': 10 }) };
      const exchange = isQueue ? '' : 'x';
      await raw.call(1, 'queue.declare', { queue: 'q', arguments: isQueue ? args : {} });
      if (!isQueue) {
        await raw.call(1, 'exchange.declare', { exchange, type: TYPE, arguments: args });
        await raw.call(1, 'queue.bind', { queue: 'q', exchange });
      }
      const send = async (key: string, headers = {}, properties = {}): Promise<number> => {
        const keyed = { headers: { [HEADER]: key, ...headers }, ...properties };
        raw.publish(1, { exchange, routingKey: 'q' }, key, keyed);
        const { args: answer } = await raw.call(1, 'queue.declare', { queue: 'q', passive: true });
        return Number(answer.messageCount);
      };
      assert.equal(await send('this'), 1);
      turned.pass(999);
      assert.equal(await send('this'), 1);
      turned.pass(1);
      assert.equal(await send('this'), isQueue ? 1 : 2);
      await raw.call(1, 'queue.purge', { queue: 'q' });
      const own = isQueue ? [{}, { expiration: '500' }] : [{ 'x-cache-ttl': 500 }];
      assert.equal(await send('that', ...own), 1);
      turned.pass(499);
      assert.equal(await send('that', ...own), 1);
      turned.pass(1);
      assert.equal(await send('that', ...own), isQueue ? 1 : 2);
    });
  }
});
