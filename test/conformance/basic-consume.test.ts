import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, connectionClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

async function withQueue(t: TestContext): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  return { raw, queue };
}

async function bodies(raw: RawConnection, channel: number, count: number): Promise<string[]> {
  const received: string[] = [];
  while (received.length < count) {
    received.push((await raw.expectContent('basic.deliver', channel)).body.toString());
  }
  return received;
}

describe('basic.consume', { concurrency: true }, () => {
  test('delivers what is there and what comes, numbered from 1', async (t) => {
    const { raw, queue } = await withQueue(t);
    raw.publish(1, { routingKey: queue }, 'before');
    const ok = await raw.call(1, 'basic.consume', { queue, consumerTag: 'mine' });
    assert.equal(ok.args.consumerTag, 'mine');
    raw.publish(1, { routingKey: queue }, 'after');
    for (const [index, body] of ['before', 'after'].entries()) {
      const { args, body: got } = await raw.expectContent('basic.deliver', 1);
      assert.deepEqual(
        { ...args, body: got.toString() },
        {
          consumerTag: 'mine',
          deliveryTag: index + 1,
          redelivered: false,
          exchange: '',
          routingKey: queue,
          body,
        },
      );
    }
  });

  test('consume-ok comes before the first delivery', async (t) => {
    const { raw, queue } = await withQueue(t);
    for (let count = 0; count < 20; count++) raw.publish(1, { routingKey: queue }, 'message');
    raw.sendMethod(1, 'basic.consume', { queue, noAck: true });
    await raw.expectMethod('basic.consume-ok', 1);
    assert.equal((await bodies(raw, 1, 20)).length, 20);
  });

  test('an empty tag gets one that starts with amq.ctag-', async (t) => {
    const { raw, queue } = await withQueue(t);
    const { args } = await raw.call(1, 'basic.consume', { queue });
    assert.match(String(args.consumerTag), /^amq\.ctag-[A-Za-z0-9_-]{22}$/);
    raw.publish(1, { routingKey: queue }, 'message');
    const delivery = await raw.expectContent('basic.deliver', 1);
    assert.equal(delivery.args.consumerTag, args.consumerTag);
  });

  test('the same tag twice on a channel is 530', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'same' });
    raw.sendMethod(1, 'basic.consume', { queue, consumerTag: 'same' });
    await raw.expectClose(
      0,
      connectionClose(530, "attempt to reuse consumer tag 'same'", 'basic.consume'),
    );
  });

  test('the same tag on two channels is fine, and so it is after basic.cancel', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.openChannel(2);
    for (const channel of [1, 2]) {
      await raw.call(channel, 'basic.consume', { queue, consumerTag: 'same' });
    }
    await raw.call(1, 'basic.cancel', { consumerTag: 'same' });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'same' });
  });

  test('of a missing queue is 404', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'basic.consume', { queue: 'missing' });
    await raw.expectClose(1, channelClose(404, "no queue 'missing' in vhost '/'", 'basic.consume'));
  });

  test('an empty name means the last declared, 404 without one', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.call(1, 'basic.consume', { queue: '' });
    raw.publish(1, { routingKey: queue }, 'here');
    assert.deepEqual(await bodies(raw, 1, 1), ['here']);
    await raw.openChannel(2);
    raw.sendMethod(2, 'basic.consume', { queue: '' });
    await raw.expectClose(2, channelClose(404, 'no previously declared queue', 'basic.consume'));
  });

  test('no-ack: nothing is outstanding, an ack of it is an unknown tag', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    raw.publish(1, { routingKey: queue }, 'message');
    await bodies(raw, 1, 1);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    await raw.expectClose(1, channelClose(406, 'unknown delivery tag 1', 'basic.ack'));
    await raw.openChannel(1);
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('no-local is ignored', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.call(1, 'basic.consume', { queue, noLocal: true, noAck: true });
    raw.publish(1, { routingKey: queue }, 'own');
    assert.deepEqual(await bodies(raw, 1, 1), ['own']);
  });

  test('nowait: no answer, but deliveries and errors', async (t) => {
    const { raw, queue } = await withQueue(t);
    raw.publish(1, { routingKey: queue }, 'message');
    raw.sendMethod(1, 'basic.consume', { queue, consumerTag: 'quiet', nowait: true });
    assert.deepEqual(await bodies(raw, 1, 1), ['message']);
    raw.sendMethod(1, 'basic.consume', { queue: 'missing', consumerTag: 'other', nowait: true });
    await raw.expectClose(1, channelClose(404, "no queue 'missing' in vhost '/'", 'basic.consume'));
  });

  test('an exclusive consumer keeps others out, and is kept out by others', async (t) => {
    const { raw, queue } = await withQueue(t);
    const inUse = channelClose(
      403,
      `queue '${queue}' in vhost '/' in exclusive use`,
      'basic.consume',
    );
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'first', exclusive: true });
    for (const exclusive of [false, true]) {
      await raw.openChannel(2);
      raw.sendMethod(2, 'basic.consume', { queue, exclusive });
      await raw.expectClose(2, inUse);
    }
    await raw.call(1, 'basic.cancel', { consumerTag: 'first' });
    await raw.call(1, 'basic.consume', { queue });
    await raw.openChannel(2);
    raw.sendMethod(2, 'basic.consume', { queue, exclusive: true });
    await raw.expectClose(2, inUse);
  });

  test('the exchange and routing key of the publish come with the message', async (t) => {
    const { raw, queue } = await withQueue(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, type: 'topic' });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: '#' });
    await raw.call(1, 'basic.consume', { queue });
    raw.publish(1, { exchange, routingKey: 'a.b.c' }, 'message');
    const { args } = await raw.expectContent('basic.deliver', 1);
    assert.deepEqual([args.exchange, args.routingKey], [exchange, 'a.b.c']);
  });

  test('unknown arguments are accepted', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.call(1, 'basic.consume', { queue, arguments: { 'x-colour': 'red' } });
  });
});

describe('x-priority of consumers', { concurrency: true }, () => {
  test('the higher is served until it is full, then the lower', async (t) => {
    const { raw, queue } = await withQueue(t);
    await raw.openChannel(2);
    for (const [channel, priority] of [
      [1, 0],
      [2, 10],
    ] as const) {
      await raw.call(channel, 'basic.qos', { prefetchCount: 2 });
      const table = { 'x-priority': priority };
      await raw.call(channel, 'basic.consume', { queue, arguments: table });
    }
    await raw.openChannel(3);
    const served: number[] = [];
    for (let count = 0; count < 4; count++) {
      raw.publish(3, { routingKey: queue }, 'message');
      const { channel } = await raw.nextMethod();
      await raw.nextFrame();
      await raw.nextFrame();
      served.push(channel);
    }
    assert.deepEqual(served, [2, 2, 1, 1]);
  });

  test('a negative one is served after those without', async (t) => {
    const { raw, queue } = await withQueue(t);
    const low = { 'x-priority': -1 };
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'low', arguments: low });
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'usual' });
    raw.publish(1, { routingKey: queue }, 'message');
    const { args } = await raw.expectContent('basic.deliver', 1);
    assert.equal(args.consumerTag, 'usual');
  });

  for (const [value, type] of [
    ['high', 'longstr'],
    [true, 'bool'],
    [{ '!': 'double', value: 1.5 }, 'double'],
  ] as const) {
    test(`of type ${type} is 406`, async (t) => {
      const { raw, queue } = await withQueue(t);
      raw.sendMethod(1, 'basic.consume', { queue, arguments: { 'x-priority': value } });
      await raw.expectClose(
        1,
        channelClose(
          406,
          `invalid arg 'x-priority' for queue '${queue}' in vhost '/': "expected integer, got ${type}"`,
          'basic.consume',
        ),
      );
    });
  }
});
