import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

/** A direct exchange nothing is bound to, with an alternate of the given name. */
async function withAlternate(
  t: TestContext,
  alternate: string,
): Promise<{ raw: RawConnection; exchange: string }> {
  const raw = await broker.rawChannel(t);
  const exchange = broker.exchangeName();
  await raw.call(1, 'exchange.declare', {
    exchange,
    arguments: { 'alternate-exchange': alternate },
  });
  return { raw, exchange };
}

/** A queue bound to a new fanout exchange. */
async function sink(raw: RawConnection, exchange: string): Promise<string> {
  const queue = broker.queueName();
  await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
  await raw.call(1, 'queue.declare', { queue });
  await raw.call(1, 'queue.bind', { queue, exchange });
  return queue;
}

describe('alternate exchanges', { concurrency: true }, () => {
  test('get what their exchange cannot route, and only that', async (t) => {
    const alternate = broker.exchangeName();
    const { raw, exchange } = await withAlternate(t, alternate);
    const rest = await sink(raw, alternate);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'k' });
    raw.publish(1, { exchange, routingKey: 'k' }, 'routed');
    raw.publish(1, { exchange, routingKey: 'other' }, 'unrouted');
    assert.deepEqual(await raw.drain(1, queue), ['routed']);
    const message = await raw.get(1, rest);
    assert.equal(message?.body.toString(), 'unrouted');
    assert.deepEqual([message.args.exchange, message.args.routingKey], [exchange, 'other']);
  });

  test('a mandatory message that the alternate routes is not returned', async (t) => {
    const alternate = broker.exchangeName();
    const { raw, exchange } = await withAlternate(t, alternate);
    const rest = await sink(raw, alternate);
    raw.publish(1, { exchange, routingKey: 'k', mandatory: true }, 'kept');
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, rest), ['kept']);
  });

  test('a mandatory message is returned when the alternate is missing', async (t) => {
    const { raw, exchange } = await withAlternate(t, 'missing');
    raw.publish(1, { exchange, routingKey: 'k', mandatory: true }, 'back');
    const { args, body } = await raw.expectContent('basic.return', 1);
    assert.deepEqual(
      { ...args, body: body.toString() },
      { replyCode: 312, replyText: 'NO_ROUTE', exchange, routingKey: 'k', body: 'back' },
    );
  });

  test('a mandatory message is returned when the alternate routes nowhere', async (t) => {
    const alternate = broker.exchangeName();
    const { raw, exchange } = await withAlternate(t, alternate);
    await raw.call(1, 'exchange.declare', { exchange: alternate, type: 'fanout' });
    raw.publish(1, { exchange, routingKey: 'k', mandatory: true }, 'back');
    const { args } = await raw.expectContent('basic.return', 1);
    assert.equal(args.exchange, exchange);
  });

  test('a chain is followed, and a circle ends', async (t) => {
    const second = broker.exchangeName();
    const third = broker.exchangeName();
    const { raw, exchange } = await withAlternate(t, second);
    await raw.call(1, 'exchange.declare', {
      exchange: second,
      arguments: { 'alternate-exchange': third },
    });
    await raw.call(1, 'exchange.declare', {
      exchange: third,
      arguments: { 'alternate-exchange': exchange },
    });
    raw.publish(1, { exchange, routingKey: 'k', mandatory: true }, 'back');
    await raw.expectContent('basic.return', 1);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue, exchange: third, routingKey: 'k' });
    raw.publish(1, { exchange, routingKey: 'k', mandatory: true }, 'through');
    assert.deepEqual(await raw.drain(1, queue), ['through']);
  });

  test('the default exchange as an alternate knows no queue by its name', async (t) => {
    const { raw, exchange } = await withAlternate(t, '');
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { exchange, routingKey: queue, mandatory: true }, 'back');
    await raw.expectContent('basic.return', 1);
    assert.equal(await raw.get(1, queue), undefined);
  });

  test('an exchange binding that reaches no queue has the destination use its alternate', async (t) => {
    const alternate = broker.exchangeName();
    const { raw, exchange: destination } = await withAlternate(t, alternate);
    const rest = await sink(raw, alternate);
    const source = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange: source, type: 'fanout' });
    await raw.call(1, 'exchange.bind', { source, destination });
    raw.publish(1, { exchange: source, routingKey: 'k', mandatory: true }, 'through');
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, rest), ['through']);
  });
});
