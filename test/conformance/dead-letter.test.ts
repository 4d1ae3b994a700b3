import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Content, channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { lastDeath } from './differences.js';

const broker = await brokerUnderTest();

interface Setting {
  readonly raw: RawConnection;
  /** Where messages die. */
  readonly queue: string;
  /** Where the dead go. */
  readonly dead: string;
  /** The exchange between the two. */
  readonly exchange: string;
}

/** A queue with a fanout dead-letter exchange, and a queue bound to that. */
async function setting(t: TestContext, table: WireArguments = {}): Promise<Setting> {
  const raw = await broker.rawChannel(t);
  const [queue, dead] = [broker.queueName(), broker.queueName()];
  const exchange = broker.exchangeName();
  await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
  await raw.call(1, 'queue.declare', { queue: dead });
  await raw.call(1, 'queue.bind', { queue: dead, exchange });
  const args = { 'x-dead-letter-exchange': exchange, ...table };
  await raw.call(1, 'queue.declare', { queue, arguments: args });
  return { raw, queue, dead, exchange };
}

/** Gets the first message of a queue and rejects it. */
async function reject(raw: RawConnection, queue: string): Promise<void> {
  const message = await getOne(raw, queue, false);
  const deliveryTag = Number(message.args.deliveryTag);
  raw.sendMethod(1, 'basic.reject', { deliveryTag, requeue: false });
}

/** The first message of a queue, as soon as there is one. */
async function getOne(raw: RawConnection, queue: string, noAck = true): Promise<Content> {
  await raw.untilReady(1, queue, 1);
  const message = await raw.get(1, queue, noAck);
  assert.ok(message);
  return message;
}

function headersOf(message: Content): Record<string, unknown> {
  return message.properties.headers as Record<string, unknown>; // a table
}

function deathsOf(message: Content): Record<string, unknown>[] {
  return headersOf(message)['x-death'] as Record<string, unknown>[]; // an array of tables
}

/** Deaths without their times, which have to be there. */
function untimed(deaths: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return deaths.map(({ time, ...rest }) => {
    assert.ok(time !== undefined);
    return rest;
  });
}

describe('dead letters', { concurrency: true }, () => {
  test('a rejected message: everything that is told of its death', async (t) => {
    const { raw, queue, dead, exchange } = await setting(t);
    const properties = {
      contentType: 'text/plain',
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c',
      messageId: 'm',
      headers: { own: 'header' },
    };
    raw.publish(1, { routingKey: queue }, 'message', properties);
    await reject(raw, queue);
    const message = await getOne(raw, dead);
    assert.deepEqual([message.args.exchange, message.args.routingKey], [exchange, queue]);
    assert.equal(message.args.redelivered, false);
    assert.equal(message.body.toString(), 'message');
    const { headers, ...rest } = message.properties;
    const { headers: own, ...others } = properties;
    assert.deepEqual(rest, others);
    const { 'x-death': deaths, ...told } = headers as Record<string, unknown>;
    const first = {
      'x-first-death-exchange': '',
      'x-first-death-queue': queue,
      'x-first-death-reason': 'rejected',
    };
    const last = broker.expected(lastDeath('', queue, 'rejected'));
    assert.deepEqual(told, { ...own, ...first, ...last });
    const death = { count: 1, reason: 'rejected', queue, exchange: '', 'routing-keys': [queue] };
    assert.deepEqual(plain(untimed(deaths as Record<string, unknown>[])), [death]);
  });

  test('basic.nack with multiple: all of them, in order', async (t) => {
    const { raw, queue, dead } = await setting(t);
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    await raw.untilReady(1, queue, 3);
    for (let i = 0; i < 3; i++) await raw.get(1, queue, false);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: false });
    await raw.untilReady(1, dead, 3);
    assert.deepEqual(await raw.drain(1, dead), ['1', '2', '3']);
  });

  test("x-dead-letter-routing-key takes the place of the message's own", async (t) => {
    const dead = broker.queueName();
    const { raw, queue } = await setting(t, {
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    });
    await raw.call(1, 'queue.declare', { queue: dead });
    raw.publish(1, { routingKey: queue }, 'message');
    await reject(raw, queue);
    const { args } = await getOne(raw, dead);
    assert.deepEqual([args.exchange, args.routingKey], ['', dead]);
  });

  test('expired: the reason, the original expiration, and none any more', async (t) => {
    const { raw, queue, dead } = await setting(t);
    raw.publish(1, { routingKey: queue }, 'message', { expiration: '20' });
    const message = await getOne(raw, dead);
    assert.equal(message.properties.expiration, undefined);
    const [death] = plain(deathsOf(message)) as Record<string, unknown>[];
    assert.deepEqual([death?.reason, death?.['original-expiration']], ['expired', '20']);
  });

  test('maxlen: the oldest is dropped, and dead-lettered', async (t) => {
    const { raw, queue, dead } = await setting(t, { 'x-max-length': 1 });
    for (const body of ['1', '2']) raw.publish(1, { routingKey: queue }, body);
    const message = await getOne(raw, dead);
    assert.equal(message.body.toString(), '1');
    assert.equal(deathsOf(message)[0]?.reason, 'maxlen');
    assert.deepEqual(await raw.drain(1, queue), ['2']);
  });

  test('the same queue and reason: counted in place; another: in front', async (t) => {
    // What is rejected in the first queue goes to the second, expires there, and comes back.
    const raw = await broker.rawChannel(t);
    const [queue, waiting] = [broker.queueName(), broker.queueName()];
    const to = (key: string) => ({
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': key,
    });
    await raw.call(1, 'queue.declare', { queue, arguments: to(waiting) });
    const table = { ...to(queue), 'x-message-ttl': 10 };
    await raw.call(1, 'queue.declare', { queue: waiting, arguments: table });
    raw.publish(1, { routingKey: queue }, 'message');
    for (let i = 0; i < 3; i++) await reject(raw, queue);
    const message = await getOne(raw, queue);
    const deaths = deathsOf(message).map(({ queue: where, reason, count }) =>
      plain([where, reason, count]),
    );
    assert.deepEqual(deaths, [
      [waiting, 'expired', 3],
      [queue, 'rejected', 3],
    ]);
    const headers = headersOf(message);
    assert.equal(headers['x-first-death-queue'], queue);
    assert.equal(headers['x-first-death-reason'], 'rejected');
  });

  test('a cycle without a rejection ends; the message is gone', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const table = {
      'x-message-ttl': 10,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': queue,
    };
    await raw.call(1, 'queue.declare', { queue, arguments: table });
    await raw.call(1, 'confirm.select');
    raw.publish(1, { routingKey: queue }, 'message');
    await raw.expectMethod('basic.ack', 1);
    await raw.untilReady(1, queue, 0);
    assert.equal(await raw.get(1, queue), undefined);
  });

  test('an exchange that is missing: the message is gone, and nobody is told', async (t) => {
    const missing = broker.exchangeName();
    const { raw, queue } = await setting(t, { 'x-dead-letter-exchange': missing });
    raw.publish(1, { routingKey: queue }, 'message');
    await reject(raw, queue);
    await raw.expectNothing(1);
    await raw.untilReady(1, queue, 0);
  });

  test('purge and delete dead-letter nothing', async (t) => {
    const { raw, queue, dead } = await setting(t);
    for (const body of ['1', '2']) raw.publish(1, { routingKey: queue }, body);
    await raw.untilReady(1, queue, 2);
    await raw.call(1, 'queue.purge', { queue });
    raw.publish(1, { routingKey: queue }, '3');
    await raw.untilReady(1, queue, 1);
    await raw.call(1, 'queue.delete', { queue });
    assert.deepEqual(await raw.drain(1, dead), []);
  });

  test('CC counts among the routing keys, and is kept; BCC does neither', async (t) => {
    const { raw, queue, dead } = await setting(t);
    const headers = { CC: ['copy'], BCC: ['blind'] };
    raw.publish(1, { routingKey: queue }, 'message', { headers });
    await reject(raw, queue);
    const message = await getOne(raw, dead);
    assert.deepEqual(plain(deathsOf(message)[0]?.['routing-keys']), [queue, 'copy']);
    assert.deepEqual(plain(headersOf(message).CC), ['copy']);
    assert.equal(headersOf(message).BCC, undefined);
  });

  test('a dead letter goes to the keys of CC too', async (t) => {
    const raw = await broker.rawChannel(t);
    const [queue, own, copy] = [broker.queueName(), broker.queueName(), broker.queueName()];
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, type: 'direct' });
    for (const [name, routingKey] of [
      [own, queue],
      [copy, 'copy'],
    ] as const) {
      await raw.call(1, 'queue.declare', { queue: name });
      await raw.call(1, 'queue.bind', { queue: name, exchange, routingKey });
    }
    const table = { 'x-dead-letter-exchange': exchange };
    await raw.call(1, 'queue.declare', { queue, arguments: table });
    raw.publish(1, { routingKey: queue }, 'message', { headers: { CC: ['copy'] } });
    await reject(raw, queue);
    await getOne(raw, own);
    await getOne(raw, copy);
  });

  test('with x-dead-letter-routing-key CC goes', async (t) => {
    const { raw, queue, dead } = await setting(t, { 'x-dead-letter-routing-key': 'other' });
    raw.publish(1, { routingKey: queue }, 'message', { headers: { CC: ['copy'] } });
    await reject(raw, queue);
    const message = await getOne(raw, dead);
    assert.equal(message.args.routingKey, 'other');
    assert.equal(headersOf(message).CC, undefined);
    assert.deepEqual(plain(deathsOf(message)[0]?.['routing-keys']), [queue, 'copy']);
  });

  test("an x-death of the publisher's grows", async (t) => {
    const { raw, queue, dead } = await setting(t);
    raw.publish(1, { routingKey: queue }, 'message');
    await reject(raw, queue);
    const message = await getOne(raw, dead);
    raw.publish(1, { routingKey: queue }, 'again', { headers: headersOf(message) });
    await reject(raw, queue);
    const [death, ...others] = deathsOf(await getOne(raw, dead));
    assert.deepEqual(plain([death?.queue, death?.reason, death?.count]), [queue, 'rejected', 2]);
    assert.deepEqual(others, []);
  });

  test('a rejection in a transaction comes about with its commit', async (t) => {
    const { raw, queue, dead } = await setting(t);
    await raw.openChannel(2);
    await raw.call(2, 'tx.select');
    raw.publish(1, { routingKey: queue }, 'message');
    await raw.untilReady(1, queue, 1);
    const message = await raw.get(2, queue, false);
    const deliveryTag = Number(message?.args.deliveryTag);
    raw.sendMethod(2, 'basic.reject', { deliveryTag, requeue: false });
    await raw.expectNothing(2);
    assert.equal(await raw.get(1, dead), undefined);
    await raw.call(2, 'tx.commit');
    await getOne(raw, dead);
  });

  test('a dead-letter exchange that is no string is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    raw.sendMethod(1, 'queue.declare', { queue, arguments: { 'x-dead-letter-exchange': 1 } });
    const text = /^invalid type '\w+' for arg 'x-dead-letter-exchange' in queue/;
    await raw.expectClose(1, channelClose(406, text, 'queue.declare'));
  });
});

/** Values without their wire types. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const typed = value as { '!'?: string; value?: unknown };
  if (typed['!'] !== undefined) return plain(typed.value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
