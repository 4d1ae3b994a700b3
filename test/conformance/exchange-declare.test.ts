import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose, connectionClose, type ExpectedClose } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { unknownExchangeType } from './differences.js';

const broker = await brokerUnderTest();

const declaration = (code: number, text: string): ExpectedClose =>
  channelClose(code, text, 'exchange.declare');

describe('exchange.declare', { concurrency: true }, () => {
  for (const [exchange, type] of [
    ['amq.direct', 'direct'],
    ['amq.fanout', 'fanout'],
    ['amq.topic', 'topic'],
    ['amq.headers', 'headers'],
    ['amq.match', 'headers'],
    ['amq.rabbitmq.trace', 'topic'],
  ] as const) {
    test(`${exchange} is there, and may be declared again as it is`, async (t) => {
      const raw = await broker.rawChannel(t);
      const internal = exchange === 'amq.rabbitmq.trace';
      await raw.call(1, 'exchange.declare', { exchange, passive: true });
      await raw.call(1, 'exchange.declare', { exchange, type, durable: true, internal });
      raw.sendMethod(1, 'exchange.declare', { exchange, type, durable: false, internal });
      await raw.expectClose(
        1,
        declaration(
          406,
          `inequivalent arg 'durable' for exchange '${exchange}' in vhost '/': received 'false' but current is 'true'`,
        ),
      );
    });
  }

  test('declaring again with the same values is fine, other arguments included', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const same = { exchange, type: 'topic', durable: true, autoDelete: true, internal: true };
    await raw.call(1, 'exchange.declare', same);
    await raw.call(1, 'exchange.declare', same);
    await raw.call(1, 'exchange.declare', { ...same, arguments: { 'x-colour': 'red' } });
  });

  for (const [argument, first, second, received, current] of [
    ['type', { type: 'direct' }, { type: 'fanout' }, 'fanout', 'direct'],
    ['durable', { durable: true }, { durable: false }, 'false', 'true'],
    ['auto_delete', { autoDelete: false }, { autoDelete: true }, 'true', 'false'],
    ['internal', { internal: false }, { internal: true }, 'true', 'false'],
  ] as const) {
    test(`another ${argument} is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      const exchange = broker.exchangeName();
      await raw.call(1, 'exchange.declare', { exchange, ...first });
      raw.sendMethod(1, 'exchange.declare', { exchange, ...second });
      await raw.expectClose(
        1,
        declaration(
          406,
          `inequivalent arg '${argument}' for exchange '${exchange}' in vhost '/': received '${received}' but current is '${current}'`,
        ),
      );
    });
  }

  for (const [first, second, text] of [
    [
      { 'alternate-exchange': 'a' },
      { 'alternate-exchange': 'b' },
      "received 'b' but current is 'a'",
    ],
    [
      { 'alternate-exchange': 'a' },
      {},
      "received none but current is the value 'a' of type 'longstr'",
    ],
    [
      {},
      { 'alternate-exchange': 'a' },
      "received the value 'a' of type 'longstr' but current is none",
    ],
  ] as const) {
    test(`alternate-exchange, declared again: ${text}`, async (t) => {
      const raw = await broker.rawChannel(t);
      const exchange = broker.exchangeName();
      await raw.call(1, 'exchange.declare', { exchange, arguments: first });
      raw.sendMethod(1, 'exchange.declare', { exchange, arguments: second });
      await raw.expectClose(
        1,
        declaration(
          406,
          `inequivalent arg 'alternate-exchange' for exchange '${exchange}' in vhost '/': ${text}`,
        ),
      );
    });
  }

  test('an alternate-exchange that is no string is 406', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    raw.sendMethod(1, 'exchange.declare', { exchange, arguments: { 'alternate-exchange': 5 } });
    await raw.expectClose(
      1,
      declaration(
        406,
        `invalid type 'byte' for arg 'alternate-exchange' in exchange '${exchange}' in vhost '/'`,
      ),
    );
  });

  test('an unknown type is refused, naming it', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'exchange.declare', { exchange: broker.exchangeName(), type: 'x-nonsense' });
    await raw.expectClose(1, broker.expected(unknownExchangeType('x-nonsense')));
  });

  test('passive finds what is there, whatever else is said', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
    await raw.call(1, 'exchange.declare', {
      exchange,
      passive: true,
      type: 'direct',
      durable: true,
      arguments: { 'alternate-exchange': 'other' },
    });
  });

  test('passive is 404 for what is not there', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'exchange.declare', { exchange: 'missing', passive: true });
    await raw.expectClose(1, declaration(404, "no exchange 'missing' in vhost '/'"));
  });

  test('the prefix amq. is reserved', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'exchange.declare', { exchange: 'amq.mine' });
    await raw.expectClose(
      1,
      declaration(403, "exchange name 'amq.mine' contains reserved prefix 'amq.*'"),
    );
  });

  for (const passive of [false, true]) {
    test(`the default exchange may not be declared${passive ? ', not even passively' : ''}`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, 'exchange.declare', { exchange: '', passive });
      await raw.expectClose(1, declaration(403, 'operation not permitted on the default exchange'));
    });
  }

  test('carriage returns and line feeds are taken out of a name', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange: `\r${exchange}\n` });
    await raw.call(1, 'exchange.declare', { exchange, passive: true });
  });

  test('a name of 255 bytes and one with spaces and umlauts are fine', async (t) => {
    const raw = await broker.rawChannel(t);
    const base = broker.exchangeName();
    for (const exchange of [base.padEnd(255, 'x'), `${base} Häschen 🐇`]) {
      await raw.call(1, 'exchange.declare', { exchange, autoDelete: true });
      await raw.call(1, 'exchange.declare', { exchange, passive: true });
      await raw.call(1, 'exchange.delete', { exchange });
    }
  });

  test('nowait: no answer, but errors are reported', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    raw.sendMethod(1, 'exchange.declare', { exchange, nowait: true });
    await raw.call(1, 'exchange.declare', { exchange, passive: true });
    raw.sendMethod(1, 'exchange.declare', { exchange, type: 'fanout', nowait: true });
    await raw.expectClose(
      1,
      declaration(
        406,
        `inequivalent arg 'type' for exchange '${exchange}' in vhost '/': received 'fanout' but current is 'direct'`,
      ),
    );
  });

  test('a name that is not UTF-8 is 501', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.sendMethod(1, 'exchange.declare', { exchange: Buffer.from([0x61, 0xff]) });
    await raw.expectClose(0, connectionClose(501, 'Malformed UTF-8 in shortstr'));
  });
});

describe('exchange.delete', { concurrency: true }, () => {
  const deletions: readonly (readonly [string, WireArguments, ExpectedClose])[] = [
    [
      'the default exchange',
      { exchange: '' },
      channelClose(403, 'operation not permitted on the default exchange', 'exchange.delete'),
    ],
    [
      'a system exchange',
      { exchange: 'amq.direct' },
      channelClose(
        403,
        "deletion of system exchange 'amq.direct' in vhost '/' not allowed",
        'exchange.delete',
      ),
    ],
  ];
  for (const [what, args, expected] of deletions) {
    test(`of ${what} is ${expected.code}`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, 'exchange.delete', args);
      await raw.expectClose(1, expected);
    });
  }

  test('of what is not there is fine', async (t) => {
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'exchange.delete', { exchange: broker.exchangeName() });
  });

  test('removes the exchange and its bindings', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const queue = broker.queueName();
    await raw.call(1, 'exchange.declare', { exchange });
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'k' });
    await raw.call(1, 'exchange.delete', { exchange });
    await raw.call(1, 'exchange.declare', { exchange });
    raw.publish(1, { exchange, routingKey: 'k' }, 'unroutable');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('if-unused is 406 while something is bound to it', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const queue = broker.queueName();
    await raw.call(1, 'exchange.declare', { exchange });
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'k' });
    raw.sendMethod(1, 'exchange.delete', { exchange, ifUnused: true });
    await raw.expectClose(
      1,
      channelClose(406, `exchange '${exchange}' in vhost '/' in use`, 'exchange.delete'),
    );
    await raw.openChannel(1);
    await raw.call(1, 'queue.unbind', { queue, exchange, routingKey: 'k' });
    await raw.call(1, 'exchange.delete', { exchange, ifUnused: true });
  });
});

describe('auto-delete exchanges', { concurrency: true }, () => {
  const gone = (exchange: string): ExpectedClose =>
    declaration(404, `no exchange '${exchange}' in vhost '/'`);

  test('stay until something was bound, and go with the last binding', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const queue = broker.queueName();
    await raw.call(1, 'exchange.declare', { exchange, autoDelete: true });
    await raw.call(1, 'exchange.declare', { exchange, passive: true });
    await raw.call(1, 'queue.declare', { queue });
    for (const routingKey of ['1', '2']) {
      await raw.call(1, 'queue.bind', { queue, exchange, routingKey });
    }
    await raw.call(1, 'queue.unbind', { queue, exchange, routingKey: '1' });
    await raw.call(1, 'exchange.declare', { exchange, passive: true });
    await raw.call(1, 'queue.unbind', { queue, exchange, routingKey: '2' });
    raw.sendMethod(1, 'exchange.declare', { exchange, passive: true });
    await raw.expectClose(1, gone(exchange));
  });

  test('go when the last bound queue is deleted', async (t) => {
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const queue = broker.queueName();
    await raw.call(1, 'exchange.declare', { exchange, autoDelete: true });
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'queue.bind', { queue, exchange });
    await raw.call(1, 'queue.delete', { queue });
    raw.sendMethod(1, 'exchange.declare', { exchange, passive: true });
    await raw.expectClose(1, gone(exchange));
  });

  test('go as the source of an exchange binding, not as its destination', async (t) => {
    const raw = await broker.rawChannel(t);
    const source = broker.exchangeName();
    const destination = broker.exchangeName();
    for (const exchange of [source, destination]) {
      await raw.call(1, 'exchange.declare', { exchange, autoDelete: true });
    }
    await raw.call(1, 'exchange.bind', { source, destination });
    await raw.call(1, 'exchange.unbind', { source, destination });
    await raw.call(1, 'exchange.declare', { exchange: destination, passive: true });
    raw.sendMethod(1, 'exchange.declare', { exchange: source, passive: true });
    await raw.expectClose(1, gone(source));
  });

  test('go in a chain when the last destination does', async (t) => {
    const raw = await broker.rawChannel(t);
    const first = broker.exchangeName();
    const second = broker.exchangeName();
    const queue = broker.queueName();
    for (const exchange of [first, second]) {
      await raw.call(1, 'exchange.declare', { exchange, autoDelete: true });
    }
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.bind', { source: first, destination: second });
    await raw.call(1, 'queue.bind', { queue, exchange: second });
    await raw.call(1, 'queue.delete', { queue });
    raw.sendMethod(1, 'exchange.declare', { exchange: second, passive: true });
    await raw.expectClose(1, gone(second));
    await raw.openChannel(1);
    raw.sendMethod(1, 'exchange.declare', { exchange: first, passive: true });
    await raw.expectClose(1, gone(first));
  });
});
