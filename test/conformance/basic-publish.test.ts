import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, frameType } from '../wire/frame.js';
import { channelClose, connectionClose } from '../wire/raw-connection.js';
import { encodeContentHeader, type WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('basic.publish', { concurrency: true }, () => {
  test('to a missing exchange is 404', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { exchange: 'missing', routingKey: 'k' }, 'lost');
    await raw.expectClose(
      1,
      channelClose(404, "no exchange 'missing' in vhost '/'", 'basic.publish'),
    );
  });

  test('to an internal exchange is 403', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, internal: true });
    raw.publish(1, { exchange, routingKey: 'k' }, 'lost');
    await raw.expectClose(
      1,
      channelClose(
        403,
        `cannot publish to internal exchange '${exchange}' in vhost '/'`,
        'basic.publish',
      ),
    );
  });

  test('to an exchange whose name is not UTF-8 is 404 like another', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { exchange: Buffer.of(0xff), routingKey: 'k' }, 'lost');
    const { args, payload } = await raw.expectMethod('channel.close', 1);
    assert.equal(args.replyCode, 404);
    assert.ok(payload.includes(Buffer.from("no exchange '\xff' in vhost", 'latin1')));
  });

  test('with immediate is 540', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { routingKey: 'k', immediate: true }, 'lost');
    await raw.expectClose(0, connectionClose(540, 'immediate=true', 'basic.publish'));
  });

  test('an unroutable message is dropped without a word', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { exchange: 'amq.direct', routingKey: 'nowhere' }, 'dropped');
    await raw.expectNothing(1);
  });

  test('an unroutable mandatory message is returned as it was', async (t) => {
    const raw = await broker.rawChannel(t);
    const properties = { contentType: 'text/plain', headers: { a: 'b' }, deliveryMode: 2 };
    raw.publish(
      1,
      { exchange: 'amq.direct', routingKey: 'k', mandatory: true },
      'back',
      properties,
    );
    const returned = await raw.expectContent('basic.return', 1);
    assert.deepEqual(
      { ...returned.args, properties: { ...returned.properties }, body: returned.body.toString() },
      {
        replyCode: 312,
        replyText: 'NO_ROUTE',
        exchange: 'amq.direct',
        routingKey: 'k',
        properties,
        body: 'back',
      },
    );
  });

  test('a mandatory message that is routed is not returned', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue, mandatory: true }, 'kept');
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, queue), ['kept']);
  });

  test('amqplib: the return event tells what came back', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createConfirmChannel();
    const returned = new Promise<string>((resolve) =>
      channel.once('return', (message) => resolve(message.content.toString())),
    );
    channel.publish('amq.direct', 'nowhere', Buffer.from('back'), { mandatory: true });
    assert.equal(await returned, 'back');
    await channel.waitForConfirms();
  });

  test('a half-sent message is forgotten when the connection is cut', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const sender = await broker.rawChannel(t);
    sender.publish(1, { routingKey: queue }, 'whole');
    sender.sendMethod(1, 'basic.publish', { routingKey: queue });
    sender.send(encodeFrame(frameType.header, 1, encodeContentHeader(10, {})));
    sender.send(encodeFrame(frameType.body, 1, Buffer.from('half')));
    sender.destroy();
    await raw.untilReady(1, queue, 1);
    assert.deepEqual(await raw.drain(1, queue), ['whole']);
  });

  test('messages on several channels may come interleaved', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const channel of [1, 2]) raw.sendMethod(channel, 'basic.publish', { routingKey: queue });
    for (const channel of [2, 1]) {
      raw.send(encodeFrame(frameType.header, channel, encodeContentHeader(4, {})));
    }
    for (const [channel, piece] of [
      [1, 'o'],
      [2, 't'],
      [1, 'n'],
      [2, 'wo'],
      [2, '2'],
      [1, 'e1'],
    ] as const) {
      raw.send(encodeFrame(frameType.body, channel, Buffer.from(piece)));
    }
    await raw.untilReady(1, queue, 2);
    assert.deepEqual(new Set(await raw.drain(1, queue)), new Set(['one1', 'two2']));
  });

  test('body frames may be of any size, empty ones among them', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.sendMethod(1, 'basic.publish', { routingKey: queue });
    raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(6, {})));
    for (const piece of ['a', '', 'bcd', 'ef']) {
      raw.send(encodeFrame(frameType.body, 1, Buffer.from(piece)));
    }
    assert.deepEqual(await raw.drain(1, queue), ['abcdef']);
  });
});

describe('properties of a message', { concurrency: true }, () => {
  const all = {
    contentType: 'application/json',
    contentEncoding: 'gzip',
    headers: { a: 1, b: 'two' },
    deliveryMode: 2,
    priority: 7,
    correlationId: 'correlation',
    replyTo: 'somewhere',
    expiration: '600000',
    messageId: 'message-1',
    timestamp: 1_700_000_000,
    type: 'order.placed',
    userId: 'guest',
    appId: 'conformance',
    clusterId: 'cluster',
  } as const;

  test('all fourteen come through', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message', all);
    assert.deepEqual({ ...(await raw.get(1, queue))?.properties }, all);
  });

  test('none stays none', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    const message = await raw.get(1, queue);
    assert.deepEqual(message?.header.subarray(12), Buffer.from([0, 0]));
  });

  for (const [name, value] of Object.entries(all)) {
    test(`${name} alone comes through, byte for byte`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      const properties = { [name]: value } as WireArguments;
      raw.publish(1, { routingKey: queue }, 'message', properties);
      const message = await raw.get(1, queue);
      assert.deepEqual(message?.header, encodeContentHeader(7, properties));
    });
  }

  test('a property flag that stands for nothing comes through', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const header = encodeContentHeader(0, {});
    header.writeUInt16BE(0x0002, 12);
    raw.sendMethod(1, 'basic.publish', { routingKey: queue });
    raw.send(encodeFrame(frameType.header, 1, header));
    assert.deepEqual((await raw.get(1, queue))?.header, header);
  });

  test('strings of 255 bytes, and such that are not UTF-8, come through', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const bytes of [Buffer.alloc(255, 'x'), Buffer.from([0xff, 0xfe, 0x80, 0])]) {
      const properties = { messageId: bytes, appId: bytes, correlationId: bytes };
      raw.publish(1, { routingKey: queue }, 'message', properties);
      const message = await raw.get(1, queue);
      assert.deepEqual(message?.header, encodeContentHeader(7, properties));
    }
  });

  for (const [expiration, why] of [
    ['12x', '{leftover_string,"x"}'],
    ['x', 'no_integer'],
    ['', 'no_integer'],
    ['-1', '{value_negative,-1}'],
    ['1.5', '{leftover_string,".5"}'],
    ['0x10', '{leftover_string,"x10"}'],
    [' 5', 'no_integer'],
    ['5 ', '{leftover_string," "}'],
    ['315360000001', '{value_too_large,315360000001}'],
  ] as const) {
    test(`expiration ${JSON.stringify(expiration)} is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.publish(1, { routingKey: 'nowhere' }, 'refused', { expiration });
      await raw.expectClose(
        1,
        channelClose(406, `invalid expiration '${expiration}': ${why}`, 'basic.publish'),
      );
    });
  }

  for (const expiration of ['600000', '+600000', '00600000', '315360000000']) {
    test(`expiration ${expiration} is fine, and comes through as it is`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      raw.publish(1, { routingKey: queue }, 'message', { expiration });
      assert.equal((await raw.get(1, queue))?.properties.expiration, expiration);
    });
  }

  test('of several mistakes CC and BCC are told before the delivery-mode', async (t) => {
    const raw = await broker.rawChannel(t);
    const properties = { headers: { CC: 'text' }, deliveryMode: 7 };
    raw.publish(1, { routingKey: 'nowhere' }, 'refused', properties);
    await raw.expectClose(
      1,
      channelClose(
        406,
        'invalid message: {unacceptable_type_in_header,"CC",longstr}',
        'basic.publish',
      ),
    );
  });

  for (const deliveryMode of [0, 3, 7, 255]) {
    test(`delivery-mode ${deliveryMode} is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.publish(1, { routingKey: 'nowhere' }, 'refused', { deliveryMode });
      await raw.expectClose(
        1,
        channelClose(
          406,
          `invalid message: {delivery_mode_unknown,${deliveryMode}}`,
          'basic.publish',
        ),
      );
    });
  }

  test("another user's user-id is 406, the own is fine", async (t) => {
    const raw = await broker.rawChannel(t);
    raw.publish(1, { routingKey: 'nowhere' }, 'fine', { userId: 'guest' });
    await raw.expectNothing(1);
    raw.publish(1, { routingKey: 'nowhere' }, 'refused', { userId: 'somebody' });
    await raw.expectClose(
      1,
      channelClose(
        406,
        "user_id property set to 'somebody' but authenticated user was 'guest'",
        'basic.publish',
      ),
    );
  });
});
