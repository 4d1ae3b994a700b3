import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';
import { argumentOfAnotherKind } from './differences.js';

const broker = await brokerUnderTest();

/** The table of arguments, and the reply text after the name of the queue. */
const refused: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ 'x-max-priority': 256 }, ': {max_value_exceeded,256}'],
  [{ 'x-max-priority': -1 }, ': {value_negative,-1}'],
  [{ 'x-max-priority': 'high' }, ': "expected integer, got longstr"'],
  [{ 'x-max-priority': { '!': 'double', value: 5 } }, ': "expected integer, got double"'],
  [{ 'x-dead-letter-routing-key': 'k' }, ': routing_key_but_no_dlx_defined'],
  [
    { 'x-dead-letter-exchange': 'x', 'x-dead-letter-routing-key': true },
    ': {unacceptable_type,bool}',
  ],
  [{ 'x-overflow': 'zzz' }, ': invalid_overflow'],
  [{ 'x-overflow': 5 }, ': {unacceptable_type,byte}'],
  [{ 'x-queue-type': 'zzz' }, ': "unsupported queue type \'zzz\'"'],
  [{ 'x-queue-type': 5 }, ': {unacceptable_type,byte}'],
  [{ 'x-queue-type': null }, ': {unacceptable_type,void}'],
  [{ 'x-queue-mode': true, 'x-queue-type': 'zzz' }, ': "unsupported queue type \'zzz\'"'],
  [{ 'x-queue-mode': 'zzz' }, ': "unsupported queue mode \'zzz\'"'],
  [{ 'x-queue-version': -1 }, ': {value_negative,-1}'],
  [{ 'x-queue-version': 3 }, ': "unsupported queue version \'3\'"'],
  [{ 'x-queue-version': 'two' }, ': "expected integer, got longstr"'],
  [{ 'x-single-active-consumer': 'yes' }, ': {unacceptable_type,longstr}'],
  [{ 'x-max-length': -1 }, ': {value_negative,-1}'],
  [{ 'x-max-length': 'many' }, ': "expected integer, got longstr"'],
  [{ 'x-max-length-bytes': -1 }, ': {value_negative,-1}'],
  [{ 'x-message-ttl': -1 }, ': {value_negative,-1}'],
  [{ 'x-message-ttl': 'soon' }, ': "expected integer, got longstr"'],
  [
    { 'x-message-ttl': { '!': 'long', value: 315_360_000_001 } },
    ': {value_too_large,315360000001}',
  ],
  [{ 'x-expires': 0 }, ': {value_zero,0}'],
  [{ 'x-expires': -5 }, ': {value_negative,-5}'],
];

/** What a quorum or stream queue would accept. */
const acceptableValues: Readonly<Record<string, unknown>> = {
  'x-delivery-limit': 5,
  'x-dead-letter-strategy': 'at-most-once',
  'x-max-in-memory-length': 100,
  'x-quorum-initial-group-size': 1,
  'x-queue-leader-locator': 'client-local',
  'x-max-age': '1h',
};

describe('x-arguments of queues', { concurrency: true }, () => {
  for (const [table, text] of refused) {
    test(`${JSON.stringify(table)} is 406${text}`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      raw.sendMethod(1, 'queue.declare', { queue, arguments: table });
      const argument = Object.keys(table).at(-1);
      await raw.expectClose(
        1,
        channelClose(
          406,
          `invalid arg '${argument}' for queue '${queue}' in vhost '/'${text}`,
          'queue.declare',
        ),
      );
    });
  }

  test('a dead-letter exchange that is no string is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    raw.sendMethod(1, 'queue.declare', { queue, arguments: { 'x-dead-letter-exchange': 5 } });
    await raw.expectClose(
      1,
      channelClose(
        406,
        `invalid type 'byte' for arg 'x-dead-letter-exchange' in queue '${queue}' in vhost '/'`,
        'queue.declare',
      ),
    );
  });

  test('those that are unknown are accepted', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', {
      queue: broker.queueName(),
      arguments: { 'x-colour': 'red', 'y-anything': { a: [1, null] } },
    });
  });

  test('those that are known are accepted in their range', async (t) => {
    const raw = await broker.rawChannel(t);
    for (const table of [
      { 'x-max-priority': 1 },
      { 'x-max-priority': { '!': 'uint8', value: 255 } },
      { 'x-overflow': 'drop-head' },
      { 'x-overflow': 'reject-publish' },
      { 'x-overflow': 'reject-publish-dlx' },
      { 'x-queue-mode': 'lazy' },
      { 'x-queue-version': 2 },
      { 'x-queue-type': 'classic' },
      { 'x-single-active-consumer': true },
      { 'x-message-ttl': 0 },
      { 'x-expires': 600_000 },
      { 'x-max-length': 0 },
      { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'k' },
    ]) {
      await raw.call(1, 'queue.declare', { queue: broker.queueName(), arguments: table });
    }
  });

  for (const argument of [
    'x-delivery-limit',
    'x-dead-letter-strategy',
    'x-max-in-memory-length',
    'x-quorum-initial-group-size',
    'x-queue-leader-locator',
    'x-max-age',
  ]) {
    test(`${argument} on a classic queue`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      const value = acceptableValues[argument];
      raw.sendMethod(1, 'queue.declare', { queue, arguments: { [argument]: value } });
      if (broker.expected(argumentOfAnotherKind(argument)) === 'accepted') {
        await raw.expectMethod('queue.declare-ok', 1);
        return;
      }
      await raw.expectClose(
        1,
        channelClose(
          406,
          `invalid arg '${argument}' for queue '${queue}' in vhost '/' of queue type rabbit_classic_queue`,
          'queue.declare',
        ),
      );
    });
  }

  test('an argument of streams on a quorum queue is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const table = { 'x-queue-type': 'quorum', 'x-max-age': '1h' };
    raw.sendMethod(1, 'queue.declare', { queue, durable: true, arguments: table });
    const text = `invalid arg 'x-max-age' for queue '${queue}' in vhost '/' of queue type rabbit_quorum_queue`;
    await raw.expectClose(1, channelClose(406, text, 'queue.declare'));
  });

  for (const [what, flags, property] of [
    ['an exclusive', { durable: true, exclusive: true }, 'exclusive-owner'],
    ['a transient', { durable: false }, 'non-durable'],
    ['an auto-delete', { durable: true, autoDelete: true }, 'auto-delete'],
  ] as const) {
    test(`${what} quorum queue is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      const table = { 'x-queue-type': 'quorum' };
      raw.sendMethod(1, 'queue.declare', { queue, ...flags, arguments: table });
      await raw.expectClose(
        1,
        channelClose(
          406,
          `invalid property '${property}' for queue '${queue}' in vhost '/'`,
          'queue.declare',
        ),
      );
    });
  }

  test('a server-named quorum queue is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    const table = { 'x-queue-type': 'quorum' };
    raw.sendMethod(1, 'queue.declare', { queue: '', durable: true, arguments: table });
    await raw.expectClose(
      1,
      channelClose(
        406,
        'Cannot declare a server-named queue for type rabbit_quorum_queue',
        'queue.declare',
      ),
    );
  });
});

describe('priority queues', { concurrency: true }, () => {
  const publishAll = [
    ['none', undefined],
    ['five', 5],
    ['zero', 0],
    ['nine', 9],
    ['ten', 10],
    ['above', 200],
    ['five again', 5],
  ] as const;

  test('the higher first, in order within one, none is 0, above the maximum is the maximum', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-priority': 10 } });
    for (const [body, priority] of publishAll) {
      raw.publish(1, { routingKey: queue }, body, priority === undefined ? {} : { priority });
    }
    const order = ['ten', 'above', 'nine', 'five', 'five again', 'none', 'zero'];
    assert.deepEqual(await raw.drain(1, queue), order);
  });

  test('the priority property comes back as it was sent', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-priority': 3 } });
    raw.publish(1, { routingKey: queue }, 'above', { priority: 200 });
    assert.equal((await raw.get(1, queue))?.properties.priority, 200);
  });

  test('a queue without x-max-priority keeps the order of publishing', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    for (const [body, priority] of publishAll) {
      raw.publish(1, { routingKey: queue }, body, priority === undefined ? {} : { priority });
    }
    assert.deepEqual(
      await raw.drain(1, queue),
      publishAll.map(([body]) => body),
    );
  });

  test('what is requeued goes back in front within its priority', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-priority': 10 } });
    raw.publish(1, { routingKey: queue }, 'low 1', { priority: 1 });
    raw.publish(1, { routingKey: queue }, 'low 2', { priority: 1 });
    const first = await raw.get(1, queue, false);
    raw.publish(1, { routingKey: queue }, 'high', { priority: 2 });
    raw.sendMethod(1, 'basic.nack', {
      deliveryTag: Number(first?.args.deliveryTag),
      requeue: true,
    });
    assert.deepEqual(await raw.drain(1, queue), ['high', 'low 1', 'low 2']);
  });

  test('a consumer gets the higher first as well', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    const queue = broker.queueName();
    await channel.assertQueue(queue, { durable: false, maxPriority: 5 });
    for (const priority of [0, 3, 1, 5]) {
      channel.sendToQueue(queue, Buffer.from(String(priority)), { priority });
    }
    const raw = await broker.rawChannel(t);
    await raw.untilReady(1, queue, 4);
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      void channel.consume(
        queue,
        (message) => {
          order.push(String(message?.content));
          if (order.length === 4) resolve();
        },
        { noAck: true },
      );
    });
    assert.deepEqual(order, ['5', '3', '1', '0']);
  });
});
