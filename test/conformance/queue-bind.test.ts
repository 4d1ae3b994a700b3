import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, connectionClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';
import { lockedQueue } from './reply-texts.js';

const broker = await brokerUnderTest();
const onDefault = 'operation not permitted on the default exchange';

describe('queue.bind and queue.unbind', { concurrency: true }, () => {
  test('binding twice is binding once; unbinding ends it', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.declare', { exchange });
    const binding = { queue, exchange, routingKey: 'k' };
    await raw.call(1, 'queue.bind', binding);
    await raw.call(1, 'queue.bind', binding);
    raw.publish(1, { exchange, routingKey: 'k' }, 'one');
    await raw.call(1, 'queue.unbind', binding);
    raw.publish(1, { exchange, routingKey: 'k' }, 'two');
    assert.deepEqual(await raw.drain(1, queue), ['one']);
  });

  test('arguments tell bindings apart, on every type of exchange', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.declare', { exchange });
    const binding = { queue, exchange, routingKey: 'k' };
    await raw.call(1, 'queue.bind', binding);
    await raw.call(1, 'queue.bind', { ...binding, arguments: { a: 1 } });
    await raw.call(1, 'queue.unbind', binding);
    raw.publish(1, { exchange, routingKey: 'k' }, 'still bound');
    assert.deepEqual(await raw.drain(1, queue), ['still bound']);
    await raw.call(1, 'queue.unbind', { ...binding, arguments: { a: 1 } });
    raw.publish(1, { exchange, routingKey: 'k' }, 'gone');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('an empty queue name means the last one declared on the channel', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange });
    await raw.call(1, 'queue.declare', { queue: broker.queueName() });
    const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
    const queue = String(args.queue);
    await raw.call(1, 'queue.bind', { queue: '', exchange, routingKey: 'k' });
    raw.publish(1, { exchange, routingKey: 'k' }, 'here');
    assert.deepEqual(await raw.drain(1, queue), ['here']);
    await raw.call(1, 'queue.unbind', { queue: '', exchange, routingKey: 'k' });
    raw.publish(1, { exchange, routingKey: 'k' }, 'not here');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('with an empty key as well, the queue is the key', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const queue = broker.queueName();
    await raw.call(1, 'exchange.declare', { exchange });
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue: '', exchange, routingKey: '' });
    raw.publish(1, { exchange, routingKey: queue }, 'by name');
    assert.deepEqual(await raw.drain(1, queue), ['by name']);
  });

  for (const method of ['queue.bind', 'queue.unbind'] as const) {
    test(`${method} on the default exchange is 403`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      raw.sendMethod(1, method, { queue, exchange: '', routingKey: 'k' });
      await raw.expectClose(1, channelClose(403, onDefault, method));
    });

    test(`${method} of an empty name, with none declared, is 404`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, method, { queue: '', exchange: 'amq.direct' });
      await raw.expectClose(1, channelClose(404, 'no previously declared queue', method));
    });
  }

  test("binding another connection's exclusive queue is 405", async (t) => {
    const owner = await broker.rawChannel(t);
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await owner.call(1, 'queue.declare', { queue, exclusive: true });
    raw.sendMethod(1, 'queue.bind', { queue, exchange: 'amq.direct', routingKey: 'k' });
    await raw.expectClose(1, channelClose(405, lockedQueue(queue), 'queue.bind'));
  });

  test('a missing queue is 404', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.bind', { queue: 'missing', exchange: 'amq.direct' });
    await raw.expectClose(1, channelClose(404, "no queue 'missing' in vhost '/'", 'queue.bind'));
  });

  test('a missing exchange is 404', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.sendMethod(1, 'queue.bind', { queue, exchange: 'missing' });
    await raw.expectClose(1, channelClose(404, "no exchange 'missing' in vhost '/'", 'queue.bind'));
  });

  test('unbinding what is not bound, or not there, is fine', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.unbind', { queue, exchange: 'amq.direct', routingKey: 'other' });
    await raw.call(1, 'queue.unbind', { queue, exchange: 'missing', routingKey: 'k' });
    await raw.call(1, 'queue.unbind', { queue: 'missing', exchange: 'amq.direct' });
  });

  test('nowait: no answer, but the binding and its errors are there', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange });
    await raw.call(1, 'queue.declare', { queue });
    raw.sendMethod(1, 'queue.bind', { queue, exchange, routingKey: 'k', nowait: true });
    raw.publish(1, { exchange, routingKey: 'k' }, 'here');
    assert.deepEqual(await raw.drain(1, queue), ['here']);
    raw.sendMethod(1, 'queue.bind', { queue, exchange: 'missing', nowait: true });
    await raw.expectClose(1, channelClose(404, "no exchange 'missing' in vhost '/'", 'queue.bind'));
  });

  test('a queue name that is not UTF-8 is 501', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.bind', { queue: Buffer.from([0xff]), exchange: 'amq.direct' });
    await raw.expectClose(0, connectionClose(501, 'Malformed UTF-8 in shortstr'));
  });

  test('so is a binding key', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const routingKey = Buffer.from([0x6b, 0xff]);
    raw.sendMethod(1, 'queue.bind', { queue, exchange: 'amq.direct', routingKey });
    await raw.expectClose(0, connectionClose(501, 'Malformed UTF-8 in shortstr'));
  });
});
