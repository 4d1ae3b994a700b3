import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

/** A channel with the messages 1 to `count` of a queue outstanding, under the tags 1 to `count`. */
async function outstanding(
  t: TestContext,
  count: number,
): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  for (let body = 1; body <= count; body++) raw.publish(1, { routingKey: queue }, String(body));
  for (let tag = 1; tag <= count; tag++) await raw.get(1, queue, false);
  return { raw, queue };
}

/** All that a queue holds, with an asterisk behind what is redelivered. */
async function marked(raw: RawConnection, queue: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const message = await raw.get(1, queue);
    if (!message) return bodies;
    bodies.push(`${message.body.toString()}${message.args.redelivered === true ? '*' : ''}`);
  }
}

describe('basic.ack, basic.nack and basic.reject', { concurrency: true }, () => {
  for (const [what, methods, left] of [
    ['ack 2', [['basic.ack', { deliveryTag: 2 }]], ['1*', '3*', '4*']],
    ['ack up to 2', [['basic.ack', { deliveryTag: 2, multiple: true }]], ['3*', '4*']],
    ['ack 0, multiple', [['basic.ack', { deliveryTag: 0, multiple: true }]], []],
    [
      'reject 2, without requeue',
      [['basic.reject', { deliveryTag: 2, requeue: false }]],
      ['1*', '3*', '4*'],
    ],
    [
      'nack up to 3, without requeue',
      [['basic.nack', { deliveryTag: 3, multiple: true, requeue: false }]],
      ['4*'],
    ],
    [
      'nack 0, multiple, without requeue',
      [['basic.nack', { deliveryTag: 0, multiple: true, requeue: false }]],
      [],
    ],
    [
      'out of order',
      [
        ['basic.ack', { deliveryTag: 3 }],
        ['basic.ack', { deliveryTag: 1 }],
        ['basic.ack', { deliveryTag: 4, multiple: true }],
      ],
      [],
    ],
  ] as readonly (readonly [
    string,
    readonly (readonly [string, WireArguments])[],
    readonly string[],
  ])[]) {
    test(`${what}: the rest comes back when the channel closes`, async (t) => {
      const { raw, queue } = await outstanding(t, 4);
      for (const [name, args] of methods) raw.sendMethod(1, name, args);
      await raw.call(1, 'channel.close', { replyCode: 200 });
      await raw.openChannel(1);
      assert.deepEqual(await marked(raw, queue), left);
    });
  }

  for (const [what, methods] of [
    ['nack one by one', [1, 2, 3].map((deliveryTag) => ['basic.nack', { deliveryTag }])],
    ['nack in reverse', [3, 2, 1].map((deliveryTag) => ['basic.nack', { deliveryTag }])],
    ['nack up to 3', [['basic.nack', { deliveryTag: 3, multiple: true }]]],
    ['nack 0, multiple', [['basic.nack', { deliveryTag: 0, multiple: true }]]],
    ['reject', [2, 3, 1].map((deliveryTag) => ['basic.reject', { deliveryTag, requeue: true }])],
  ] as readonly (readonly [string, readonly (readonly [string, WireArguments])[]])[]) {
    test(`${what} puts messages back where they were, redelivered`, async (t) => {
      const { raw, queue } = await outstanding(t, 3);
      raw.publish(1, { routingKey: queue }, 'new');
      for (const [name, args] of methods) {
        raw.sendMethod(1, name, { requeue: true, ...args });
      }
      assert.deepEqual(await marked(raw, queue), ['1*', '2*', '3*', 'new']);
    });
  }

  test('a message goes back between its neighbours', async (t) => {
    const { raw, queue } = await outstanding(t, 3);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 1 });
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 3 });
    await raw.untilReady(1, queue, 2);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 2 });
    assert.deepEqual(await marked(raw, queue), ['1*', '2*', '3*']);
  });

  test('what is requeued goes to another consumer, redelivered', async (t) => {
    const { raw, queue } = await outstanding(t, 1);
    await raw.openChannel(2);
    await raw.call(2, 'basic.consume', { queue });
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 1, requeue: true });
    const { args, body } = await raw.expectContent('basic.deliver', 2);
    assert.deepEqual([body.toString(), args.redelivered], ['1', true]);
  });

  test('what is requeued comes back to the only consumer, under a new tag', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'basic.consume', { queue });
    raw.publish(1, { routingKey: queue }, 'message');
    for (let tag = 1; tag <= 3; tag++) {
      const { args } = await raw.expectContent('basic.deliver', 1);
      assert.deepEqual([args.deliveryTag, args.redelivered], [tag, tag > 1]);
      raw.sendMethod(1, 'basic.reject', { deliveryTag: tag, requeue: true });
    }
    await raw.expectContent('basic.deliver', 1);
  });

  for (const method of ['basic.ack', 'basic.nack', 'basic.reject'] as const) {
    test(`${method} of a tag never given is 406`, async (t) => {
      const { raw } = await outstanding(t, 1);
      raw.sendMethod(1, method, { deliveryTag: 77 });
      await raw.expectClose(1, channelClose(406, 'unknown delivery tag 77', method));
    });

    test(`${method} of a tag settled before is 406`, async (t) => {
      const { raw } = await outstanding(t, 2);
      raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
      raw.sendMethod(1, method, { deliveryTag: 1 });
      await raw.expectClose(1, channelClose(406, 'unknown delivery tag 1', method));
    });

    test(`${method} of tag 0 without multiple is 406`, async (t) => {
      const { raw } = await outstanding(t, 1);
      raw.sendMethod(1, method, { deliveryTag: 0 });
      await raw.expectClose(1, channelClose(406, 'unknown delivery tag 0', method));
    });
  }

  for (const method of ['basic.ack', 'basic.nack'] as const) {
    test(`${method} of everything, with nothing outstanding, is fine`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, method, { deliveryTag: 0, multiple: true });
      await raw.expectNothing(1);
    });

    test(`${method} up to a tag that is not outstanding is 406`, async (t) => {
      const { raw } = await outstanding(t, 3);
      raw.sendMethod(1, method, { deliveryTag: 4, multiple: true });
      await raw.expectClose(1, channelClose(406, 'unknown delivery tag 4', method));
    });
  }

  test('up to a tag that is settled is 406, though earlier ones are outstanding', async (t) => {
    const { raw, queue } = await outstanding(t, 3);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 2 });
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 2, multiple: true });
    await raw.expectClose(1, channelClose(406, 'unknown delivery tag 2', 'basic.ack'));
    await raw.openChannel(1);
    assert.deepEqual(await marked(raw, queue), ['1*', '3*']);
  });

  test('a tag belongs to its channel', async (t) => {
    const { raw } = await outstanding(t, 1);
    await raw.openChannel(2);
    raw.sendMethod(2, 'basic.ack', { deliveryTag: 1 });
    await raw.expectClose(2, channelClose(406, 'unknown delivery tag 1', 'basic.ack'));
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    await raw.expectNothing(1);
  });

  test('amqplib: nackAll requeues all, ackAll settles all', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    for (const body of ['1', '2']) channel.sendToQueue(queue, Buffer.from(body));
    for (let count = 0; count < 2; count++) assert.ok(await channel.get(queue));
    channel.nackAll(true);
    for (const body of ['1', '2']) {
      const message = await channel.get(queue);
      assert.ok(message);
      assert.deepEqual([message.content.toString(), message.fields.redelivered], [body, true]);
    }
    channel.ackAll();
    assert.equal(await channel.get(queue), false);
  });
});
