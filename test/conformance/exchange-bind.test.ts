import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

/** A channel, exchanges of these types and a queue bound to the last of them with the key `k`. */
async function chain(
  t: TestContext,
  ...types: string[]
): Promise<{ raw: RawConnection; exchanges: string[]; queue: string }> {
  const raw = await broker.rawChannel(t);
  const exchanges = types.map(() => broker.exchangeName());
  for (const [index, exchange] of exchanges.entries()) {
    await raw.call(1, 'exchange.declare', { exchange, type: types[index]! });
  }
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  await raw.call(1, 'queue.bind', { queue, exchange: exchanges.at(-1)!, routingKey: 'k' });
  return { raw, exchanges, queue };
}

describe('exchange.bind', { concurrency: true }, () => {
  test('routes from exchange to exchange, by the rules of the source', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'topic', 'fanout');
    const [source, destination] = exchanges as [string, string];
    await raw.call(1, 'exchange.bind', { source, destination, routingKey: 'a.*' });
    for (const routingKey of ['a.b', 'b.a', 'a.c']) {
      raw.publish(1, { exchange: source, routingKey }, routingKey);
    }
    assert.deepEqual(await raw.drain(1, queue), ['a.b', 'a.c']);
  });

  test('keeps the exchange and the key of the publish on the message', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'fanout', 'direct');
    const [source, destination] = exchanges as [string, string];
    await raw.call(1, 'exchange.bind', { source, destination });
    raw.publish(1, { exchange: source, routingKey: 'k' }, 'message');
    const { args } = (await raw.get(1, queue))!;
    assert.deepEqual([args.exchange, args.routingKey], [source, 'k']);
  });

  test('several ways to one queue give one copy', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'fanout', 'fanout', 'fanout');
    const [first, second, third] = exchanges as [string, string, string];
    await raw.call(1, 'exchange.bind', { source: first, destination: second });
    await raw.call(1, 'exchange.bind', { source: first, destination: third });
    await raw.call(1, 'exchange.bind', { source: second, destination: third });
    await raw.call(1, 'queue.bind', { queue, exchange: second });
    raw.publish(1, { exchange: first }, 'once');
    assert.deepEqual(await raw.drain(1, queue), ['once']);
  });

  test('a circle ends', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'fanout', 'fanout');
    const [first, second] = exchanges as [string, string];
    await raw.call(1, 'exchange.bind', { source: first, destination: second });
    await raw.call(1, 'exchange.bind', { source: second, destination: first });
    await raw.call(1, 'exchange.bind', { source: first, destination: first });
    raw.publish(1, { exchange: first }, 'once');
    assert.deepEqual(await raw.drain(1, queue), ['once']);
  });

  test('binding twice is binding once; unbinding ends it', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'direct', 'direct');
    const [source, destination] = exchanges as [string, string];
    for (let count = 0; count < 2; count++) {
      await raw.call(1, 'exchange.bind', { source, destination, routingKey: 'k' });
    }
    await raw.call(1, 'exchange.unbind', { source, destination, routingKey: 'k' });
    raw.publish(1, { exchange: source, routingKey: 'k' }, 'nowhere');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('unbinding what is not bound, or not there, is fine', async (t) => {
    const { raw, exchanges } = await chain(t, 'direct', 'direct');
    const [source, destination] = exchanges as [string, string];
    await raw.call(1, 'exchange.unbind', { source, destination, routingKey: 'other' });
    await raw.call(1, 'exchange.unbind', { source: 'missing', destination });
    await raw.call(1, 'exchange.unbind', { source, destination: 'missing' });
  });

  test('deleting the destination removes the binding', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'fanout', 'fanout');
    const [source, destination] = exchanges as [string, string];
    await raw.call(1, 'exchange.bind', { source, destination });
    await raw.call(1, 'exchange.delete', { exchange: destination });
    await raw.call(1, 'exchange.declare', { exchange: destination, type: 'fanout' });
    await raw.call(1, 'queue.bind', { queue, exchange: destination });
    raw.publish(1, { exchange: source }, 'nowhere');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('an internal exchange is reached through a binding', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'fanout');
    const [source] = exchanges as [string];
    const internal = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange: internal, type: 'fanout', internal: true });
    await raw.call(1, 'queue.unbind', { queue, exchange: source, routingKey: 'k' });
    await raw.call(1, 'queue.bind', { queue, exchange: internal });
    await raw.call(1, 'exchange.bind', { source, destination: internal });
    raw.publish(1, { exchange: source }, 'through');
    assert.deepEqual(await raw.drain(1, queue), ['through']);
  });

  test('nowait: no answer, but the binding and its errors are there', async (t) => {
    const { raw, exchanges, queue } = await chain(t, 'fanout', 'fanout');
    const [source, destination] = exchanges as [string, string];
    raw.sendMethod(1, 'exchange.bind', { source, destination, nowait: true });
    raw.publish(1, { exchange: source }, 'through');
    assert.deepEqual(await raw.drain(1, queue), ['through']);
    raw.sendMethod(1, 'exchange.bind', { source: 'missing', destination, nowait: true });
    await raw.expectClose(
      1,
      channelClose(404, "no exchange 'missing' in vhost '/'", 'exchange.bind'),
    );
  });

  for (const method of ['exchange.bind', 'exchange.unbind'] as const) {
    for (const [end, args] of [
      ['source', { source: '', destination: 'amq.fanout' }],
      ['destination', { source: 'amq.fanout', destination: '' }],
    ] as const) {
      test(`${method} with the default exchange as ${end} is 403`, async (t) => {
        const raw = await broker.rawChannel(t);
        raw.sendMethod(1, method, args);
        await raw.expectClose(
          1,
          channelClose(403, 'operation not permitted on the default exchange', method),
        );
      });
    }
  }

  for (const end of ['source', 'destination'] as const) {
    test(`a missing ${end} is 404`, async (t) => {
      const raw = await broker.rawChannel(t);
      const args = { source: 'amq.fanout', destination: 'amq.topic', [end]: 'missing' };
      raw.sendMethod(1, 'exchange.bind', args);
      await raw.expectClose(
        1,
        channelClose(404, "no exchange 'missing' in vhost '/'", 'exchange.bind'),
      );
    });
  }
});
