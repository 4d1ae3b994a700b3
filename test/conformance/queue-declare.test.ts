import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, connectionClose, type ExpectedClose } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { lockedQueue } from './reply-texts.js';

const broker = await brokerUnderTest();

const declaration = (code: number, text: string): ExpectedClose =>
  channelClose(code, text, 'queue.declare');

describe('queue.declare', { concurrency: true }, () => {
  test('tells the name and counts messages and consumers', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    assert.deepEqual(
      { ...(await raw.call(1, 'queue.declare', { queue })).args },
      { queue, messageCount: 0, consumerCount: 0 },
    );
    for (const body of ['1', '2', '3']) raw.publish(1, { routingKey: queue }, body);
    await raw.get(1, queue, false);
    await raw.untilReady(1, queue, 2);
  });

  test('an empty name gets one that starts with amq.gen-, another every time', async (t) => {
    const raw = await broker.rawChannel(t);
    const names = new Set<string>();
    for (let count = 0; count < 3; count++) {
      const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
      assert.match(String(args.queue), /^amq\.gen-[A-Za-z0-9_-]{22}$/);
      names.add(String(args.queue));
    }
    assert.equal(names.size, 3);
  });

  test('a server-named queue may be declared again passively only', async (t) => {
    const raw = await broker.rawChannel(t);
    const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
    const queue = String(args.queue);
    await raw.call(1, 'queue.declare', { queue, passive: true });
    raw.sendMethod(1, 'queue.declare', { queue, exclusive: true });
    await raw.expectClose(
      1,
      declaration(403, `queue name '${queue}' contains reserved prefix 'amq.*'`),
    );
  });

  test('the prefix amq. is reserved', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.declare', { queue: 'amq.mine' });
    await raw.expectClose(
      1,
      declaration(403, "queue name 'amq.mine' contains reserved prefix 'amq.*'"),
    );
  });

  test('carriage returns and line feeds are taken out of a name', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const { args } = await raw.call(1, 'queue.declare', { queue: `\n${queue}\r` });
    assert.equal(args.queue, queue);
  });

  test('a name of 255 bytes and one with spaces and umlauts are fine', async (t) => {
    const raw = await broker.rawChannel(t);
    const base = broker.queueName();
    for (const queue of [base.padEnd(255, 'x'), `${base} Häschen 🐇`]) {
      const { args } = await raw.call(1, 'queue.declare', { queue, exclusive: true });
      assert.equal(args.queue, queue);
      raw.publish(1, { routingKey: queue }, 'here');
      assert.deepEqual(await raw.drain(1, queue), ['here']);
    }
  });

  test('a name that is not UTF-8 is 501', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.declare', { queue: Buffer.from([0x61, 0xff]) });
    await raw.expectClose(0, connectionClose(501, 'Malformed UTF-8 in shortstr'));
  });

  test('nowait: no answer, but errors are reported', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    raw.sendMethod(1, 'queue.declare', { queue, nowait: true });
    await raw.call(1, 'queue.declare', { queue, passive: true });
    raw.sendMethod(1, 'queue.declare', { queue, durable: true, nowait: true });
    await raw.expectClose(
      1,
      declaration(
        406,
        `inequivalent arg 'durable' for queue '${queue}' in vhost '/': received 'true' but current is 'false'`,
      ),
    );
  });
});

describe('passive queue.declare', { concurrency: true }, () => {
  test('finds what is there, whatever else is said', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.declare', {
      queue,
      passive: true,
      durable: true,
      autoDelete: true,
      exclusive: false,
      arguments: { 'x-max-length': 5 },
    });
  });

  test('is 404 for what is not there', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'queue.declare', { queue: 'missing', passive: true });
    await raw.expectClose(1, declaration(404, "no queue 'missing' in vhost '/'"));
  });

  test('is 404 for an empty name, even with a queue declared before', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
    raw.sendMethod(1, 'queue.declare', { queue: '', passive: true });
    await raw.expectClose(1, declaration(404, "no queue '' in vhost '/'"));
  });

  test('makes its queue the last declared', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.openChannel(2);
    await raw.call(2, 'queue.declare', { queue, passive: true });
    raw.publish(2, { routingKey: queue }, 'here');
    assert.equal((await raw.get(2, ''))?.body.toString(), 'here');
  });
});

describe('a queue declared again', { concurrency: true }, () => {
  test('with the same values is fine, unknown arguments are not compared', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const same = { queue, durable: true, arguments: { 'x-max-length': 5, 'x-colour': 'red' } };
    await raw.call(1, 'queue.declare', same);
    await raw.call(1, 'queue.declare', same);
    await raw.call(1, 'queue.declare', { ...same, arguments: { 'x-max-length': 5 } });
    await raw.call(1, 'queue.declare', { ...same, arguments: { 'x-max-length': 5, 'x-a': [1] } });
  });

  for (const type of [
    'byte',
    'short',
    'int',
    'long',
    'unsignedbyte',
    'unsignedshort',
    'unsignedint',
  ]) {
    test(`with an equal integer of type ${type} is fine`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-length': 5 } });
      await raw.call(1, 'queue.declare', {
        queue,
        arguments: { 'x-max-length': { '!': type, value: 5 } },
      });
    });
  }

  test('with x-queue-type classic or without is the same', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.declare', { queue, arguments: { 'x-queue-type': 'classic' } });
    const other = broker.queueName();
    await raw.call(1, 'queue.declare', { queue: other, arguments: { 'x-queue-type': 'classic' } });
    await raw.call(1, 'queue.declare', { queue: other });
  });

  for (const [type, value, shown] of [
    ['double', { '!': 'double', value: 5 }, '5.0'],
    ['string', '5', '5'],
  ] as const) {
    test(`with an equal ${type} for an integer is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-length': 5 } });
      raw.sendMethod(1, 'queue.declare', { queue, arguments: { 'x-max-length': value } });
      await raw.expectClose(
        1,
        declaration(
          406,
          `inequivalent arg 'x-max-length' for queue '${queue}' in vhost '/': received '${shown}' but current is '5'`,
        ),
      );
    });
  }

  for (const [argument, first, second, text] of [
    ['durable', { durable: true }, {}, "received 'false' but current is 'true'"],
    ['durable', {}, { durable: true }, "received 'true' but current is 'false'"],
    ['auto_delete', { autoDelete: true }, {}, "received 'false' but current is 'true'"],
    ['auto_delete', {}, { autoDelete: true }, "received 'true' but current is 'false'"],
    [
      'x-max-length',
      { arguments: { 'x-max-length': 5 } },
      { arguments: { 'x-max-length': 6 } },
      "received '6' but current is '5'",
    ],
    [
      'x-max-length',
      { arguments: { 'x-max-length': 5 } },
      {},
      "received none but current is the value '5' of type 'byte'",
    ],
    [
      'x-max-length',
      {},
      { arguments: { 'x-max-length': 500 } },
      "received the value '500' of type 'short' but current is none",
    ],
    [
      'x-max-priority',
      { arguments: { 'x-max-priority': { '!': 'int', value: 10 } } },
      {},
      "received none but current is the value '10' of type 'signedint'",
    ],
    [
      'x-message-ttl',
      { arguments: { 'x-message-ttl': { '!': 'long', value: 60000 } } },
      {},
      "received none but current is the value '60000' of type 'long'",
    ],
    [
      'x-expires',
      {},
      { arguments: { 'x-expires': { '!': 'unsignedint', value: 60000 } } },
      "received the value '60000' of type 'unsignedint' but current is none",
    ],
    [
      'x-dead-letter-exchange',
      { arguments: { 'x-dead-letter-exchange': 'a' } },
      { arguments: { 'x-dead-letter-exchange': 'b' } },
      "received 'b' but current is 'a'",
    ],
    [
      'x-dead-letter-exchange',
      { arguments: { 'x-dead-letter-exchange': 'a' } },
      {},
      "received none but current is the value 'a' of type 'longstr'",
    ],
    [
      'x-dead-letter-exchange',
      {},
      { arguments: { 'x-dead-letter-exchange': Buffer.from('a') } },
      "received the value 'a' of type 'binary' but current is none",
    ],
    [
      'x-dead-letter-exchange',
      { arguments: { 'x-dead-letter-exchange': 'a' } },
      { arguments: { 'x-dead-letter-exchange': null } },
      "received none but current is 'a'",
    ],
    [
      'x-queue-version',
      { arguments: { 'x-queue-version': 1 } },
      { arguments: { 'x-queue-version': 2 } },
      "received '2' but current is '1'",
    ],
    [
      'x-overflow',
      { arguments: { 'x-overflow': 'drop-head' } },
      { arguments: { 'x-overflow': 'reject-publish' } },
      "received 'reject-publish' but current is 'drop-head'",
    ],
    [
      'x-queue-mode',
      { arguments: { 'x-queue-mode': 'lazy' } },
      { arguments: { 'x-queue-mode': 'default' } },
      "received 'default' but current is 'lazy'",
    ],
    [
      'x-single-active-consumer',
      { arguments: { 'x-single-active-consumer': true } },
      {},
      "received none but current is the value 'true' of type 'bool'",
    ],
  ] as const) {
    test(`another ${argument} is 406: ${text}`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue, ...first } as WireArguments);
      raw.sendMethod(1, 'queue.declare', { queue, ...second } as WireArguments);
      await raw.expectClose(
        1,
        declaration(
          406,
          `inequivalent arg '${argument}' for queue '${queue}' in vhost '/': ${text}`,
        ),
      );
    });
  }

  test('keeps the connection: the channel alone is closed', async (t) => {
    const connection = await broker.amqplib(t);
    const channel = await connection.createChannel();
    channel.on('error', () => {});
    const queue = broker.queueName();
    await channel.assertQueue(queue, { durable: true });
    await assert.rejects(
      channel.assertQueue(queue, { durable: false }),
      /inequivalent arg 'durable'/,
    );
    await (await connection.createChannel()).checkQueue(queue);
  });
});

describe('exclusive queues', { concurrency: true }, () => {
  test('an exclusive queue may be declared again, as durable too', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, exclusive: true });
    await raw.call(1, 'queue.declare', { queue, exclusive: true });
    await raw.call(1, 'queue.declare', { queue, exclusive: true, durable: true });
    await raw.openChannel(2);
    await raw.call(2, 'queue.declare', { queue, passive: true });
  });

  test('another exclusive is 405, on the own connection as well', async (t) => {
    const raw = await broker.rawChannel(t);
    for (const [first, second] of [
      [true, false],
      [false, true],
    ] as const) {
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue, exclusive: first });
      raw.sendMethod(1, 'queue.declare', { queue, exclusive: second });
      await raw.expectClose(1, declaration(405, lockedQueue(queue)));
      await raw.openChannel(1);
    }
  });

  for (const [method, args] of [
    ['queue.declare', { exclusive: true }],
    ['queue.declare', { passive: true }],
    ['queue.delete', {}],
    ['queue.purge', {}],
    ['basic.consume', {}],
    ['basic.get', {}],
  ] as const) {
    const how = Object.keys(args).join();
    test(`${method} ${how} of another connection's is 405`, async (t) => {
      const owner = await broker.rawChannel(t);
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await owner.call(1, 'queue.declare', { queue, exclusive: true });
      raw.sendMethod(1, method, { queue, ...args });
      await raw.expectClose(1, channelClose(405, lockedQueue(queue), method));
    });
  }

  test("publishing to another connection's is allowed", async (t) => {
    const owner = await broker.rawChannel(t);
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await owner.call(1, 'queue.declare', { queue, exclusive: true });
    await raw.call(1, 'confirm.select');
    raw.publish(1, { routingKey: queue, mandatory: true }, 'here');
    await raw.expectMethod('basic.ack', 1);
    assert.deepEqual(await owner.drain(1, queue), ['here']);
  });
});

describe('auto-delete queues', { concurrency: true }, () => {
  test('stay until they had a consumer, and go with the last one', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, autoDelete: true });
    raw.publish(1, { routingKey: queue }, 'first');
    await raw.get(1, queue);
    for (const consumerTag of ['1', '2'])
      await raw.call(1, 'basic.consume', { queue, consumerTag });
    await raw.call(1, 'basic.cancel', { consumerTag: '1' });
    await raw.call(1, 'queue.declare', { queue, passive: true });
    await raw.call(1, 'basic.cancel', { consumerTag: '2' });
    raw.sendMethod(1, 'queue.declare', { queue, passive: true });
    await raw.expectClose(1, declaration(404, `no queue '${queue}' in vhost '/'`));
  });

  test('go when the channel of the last consumer closes', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.openChannel(2);
    await raw.call(2, 'queue.declare', { queue, autoDelete: true });
    await raw.call(2, 'basic.consume', { queue });
    await raw.call(2, 'channel.close', { replyCode: 200 });
    raw.sendMethod(1, 'queue.declare', { queue, passive: true });
    await raw.expectClose(1, declaration(404, `no queue '${queue}' in vhost '/'`));
  });
});
