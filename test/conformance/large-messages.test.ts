import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { encodeFrame, frameType } from '../wire/frame.js';
import { channelClose } from '../wire/raw-connection.js';
import { encodeContentHeader } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { bodyAboveTheLimit, bodyLongerThanAnnounced } from './differences.js';

const broker = await brokerUnderTest();
const mebibyte = 1024 * 1024;
const frameMax = 131072;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('bodies of every size', { concurrency: true }, () => {
  test('an empty body is a header frame with nothing behind it', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    for (let count = 0; count < 2; count++) {
      raw.publish(1, { routingKey: queue }, '');
      const { body, bodyFrameSizes } = await raw.expectContent('basic.deliver', 1);
      assert.deepEqual([body.length, bodyFrameSizes], [0, []]);
    }
    await raw.expectNothing(1);
  });

  for (const bytes of [1, frameMax - 9, frameMax - 8, frameMax - 7, 2 * frameMax, mebibyte]) {
    test(`${bytes} bytes come back`, async (t) => {
      const connection = await broker.amqplib(t);
      const channel = await connection.createChannel();
      const { queue } = await channel.assertQueue('', { exclusive: true });
      const body = randomBytes(bytes);
      channel.sendToQueue(queue, body);
      const message = await channel.get(queue);
      assert.equal(message && digest(message.content), digest(body));
    });
  }

  test('16 MiB come back, to a consumer and persistent', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, durable: true });
    await raw.call(1, 'confirm.select');
    const body = randomBytes(16 * mebibyte);
    raw.publish(1, { routingKey: queue }, body, { deliveryMode: 2 });
    await raw.expectMethod('basic.ack', 1);
    await raw.call(1, 'basic.consume', { queue });
    const message = await raw.expectContent('basic.deliver', 1);
    assert.equal(digest(message.body), digest(body));
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    await raw.expectNothing(1);
  });

  test('a publisher and a consumer may have agreed on different frame sizes', async (t) => {
    const small = await broker.rawChannel(t, { frameMax: 4096 });
    const large = await broker.rawChannel(t);
    const queue = broker.queueName();
    await small.call(1, 'queue.declare', { queue });
    const body = randomBytes(100_000);
    large.publish(1, { routingKey: queue }, body);
    await small.untilReady(1, queue, 1);
    const split = await small.get(1, queue);
    assert.ok(split);
    assert.equal(digest(split.body), digest(body));
    assert.ok(split.bodyFrameSizes.every((size) => size <= 4096 - 8));
    small.publish(1, { routingKey: queue }, body, {}, 4096);
    await large.untilReady(1, queue, 1);
    const whole = await large.get(1, queue);
    assert.equal(whole && digest(whole.body), digest(body));
  });

  test('a large message does not keep other channels from being answered', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    raw.sendMethod(1, 'basic.publish', { routingKey: 'nowhere' });
    raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(mebibyte, {})));
    raw.send(encodeFrame(frameType.body, 1, Buffer.alloc(1000)));
    await raw.expectNothing(2);
  });

  test('a header that announces more than 128 MiB', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    const announced = 128 * mebibyte + 1;
    raw.sendMethod(1, 'basic.publish', { routingKey: 'nowhere' });
    raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(announced, {})));
    if (broker.expected(bodyAboveTheLimit) === 'at once') {
      await raw.expectClose(
        1,
        channelClose(
          406,
          `message size ${announced} is larger than configured max size ${announced - 1}`,
          'basic.publish',
        ),
      );
    }
    await raw.expectNothing(2);
  });

  test('a body longer than announced', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    raw.sendMethod(1, 'basic.publish', { routingKey: 'nowhere' });
    raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(3, {})));
    raw.send(encodeFrame(frameType.body, 1, Buffer.alloc(4)));
    const close = broker.expected(bodyLongerThanAnnounced);
    if (close) await raw.expectClose(0, close);
    else await raw.expectNothing(2);
  });
});
