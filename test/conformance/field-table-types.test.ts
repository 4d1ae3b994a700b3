import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeContentHeader, longString, shortString, unsigned } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { undecodableTable } from './differences.js';

const broker = await brokerUnderTest();

/** An entry of a table: a name, the octet of a type and the bytes of a value. */
function entry(name: string | Uint8Array, type: string, ...value: readonly Uint8Array[]): Buffer {
  return Buffer.concat([shortString(name), Buffer.from(type), ...value]);
}

const double = Buffer.alloc(8);
double.writeDoubleBE(Math.PI);
const float = Buffer.alloc(4);
float.writeFloatBE(1.5);

/**
 * Values of every type RabbitMQ knows, at their edges, as bytes (0-9-1 §4.2.5.5 and the errata).
 */
const values: readonly (readonly [string, string, readonly Uint8Array[]])[] = [
  ['true', 't', [Buffer.of(1)]],
  ['false', 't', [Buffer.of(0)]],
  ['signed 8 bit', 'b', [Buffer.of(0x80)]],
  ['unsigned 8 bit', 'B', [Buffer.of(0xff)]],
  ['signed 16 bit', 's', [Buffer.from([0x80, 0])]],
  ['unsigned 16 bit', 'u', [Buffer.from([0xff, 0xff])]],
  ['signed 32 bit', 'I', [unsigned(4, 0x80000000)]],
  ['unsigned 32 bit', 'i', [unsigned(4, 0xffffffff)]],
  ['signed 64 bit', 'l', [unsigned(8, 0x8000000000000000n)]],
  ['signed 64 bit, beyond 2^53', 'l', [unsigned(8, 9007199254740993n)]],
  ['float', 'f', [float]],
  ['double', 'd', [double]],
  ['decimal', 'D', [Buffer.of(2), unsigned(4, 314)]],
  ['long string', 'S', [longString('text')]],
  ['long string, empty', 'S', [longString('')]],
  ['long string that is not UTF-8', 'S', [longString(Buffer.from([0xff, 0, 0xfe]))]],
  ['byte array', 'x', [longString(Buffer.from([0, 1, 2, 0xff]))]],
  ['timestamp', 'T', [unsigned(8, 1_700_000_000)]],
  ['timestamp, the highest', 'T', [unsigned(8, 0xffffffffffffffffn)]],
  ['void', 'V', []],
  ['array, empty', 'A', [longString('')]],
  ['table, empty', 'F', [longString('')]],
  [
    'array of several types',
    'A',
    [longString(Buffer.concat([Buffer.from('b\x01V'), Buffer.from('S'), longString('s')]))],
  ],
  [
    'array in an array',
    'A',
    [longString(Buffer.concat([Buffer.from('A'), longString(Buffer.from('t\x01'))]))],
  ],
  [
    'table in a table',
    'F',
    [longString(entry('inner', 'F', longString(entry('innermost', 'I', unsigned(4, 1)))))],
  ],
  [
    'table in an array',
    'A',
    [longString(Buffer.concat([Buffer.from('F'), longString(entry('k', 'V'))]))],
  ],
];

describe('field tables as message headers', { concurrency: true }, () => {
  for (const [what, type, value] of values) {
    test(`${what} (${type}) comes back byte for byte`, async (t) => {
      const raw = await broker.rawChannel(t);
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      const properties = { headers: entry('name', type, ...value) };
      raw.publish(1, { routingKey: queue }, 'body', properties);
      const message = await raw.get(1, queue);
      assert.deepEqual(message?.header, encodeContentHeader(4, properties));
    });
  }

  test('all of them in one table keep their order', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const headers = Buffer.concat(
      values.map(([, type, value], index) => entry(`${99 - index}`, type, ...value)),
    );
    raw.publish(1, { routingKey: queue }, 'body', { headers });
    assert.deepEqual((await raw.get(1, queue))?.header, encodeContentHeader(4, { headers }));
  });

  test('an empty table is not no table', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { routingKey: queue }, 'body', { headers: {} });
    assert.deepEqual((await raw.get(1, queue))?.header, encodeContentHeader(4, { headers: {} }));
  });

  test('names of 255 bytes and such that are not UTF-8 come back', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const headers = Buffer.concat([
      entry('n'.repeat(255), 'V'),
      entry(Buffer.from([0xff, 0x80]), 'V'),
      entry('', 'V'),
    ]);
    raw.publish(1, { routingKey: queue }, 'body', { headers });
    assert.deepEqual((await raw.get(1, queue))?.header, encodeContentHeader(4, { headers }));
  });

  test('they come back unchanged after the broker had to read them', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.declare', { exchange, type: 'headers' });
    await raw.call(1, 'queue.bind', { queue, exchange, arguments: { match: 'me' } });
    const headers = Buffer.concat([
      entry('match', 'S', longString('me')),
      ...values.map(([, type, value], index) => entry(`value ${index}`, type, ...value)),
    ]);
    raw.publish(1, { exchange }, 'body', { headers });
    assert.deepEqual((await raw.get(1, queue))?.header, encodeContentHeader(4, { headers }));
  });

  test('they survive BCC being taken out', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const bcc = entry(
      'BCC',
      'A',
      longString(Buffer.concat([Buffer.from('S'), longString('nowhere')])),
    );
    const rest = values.map(([, type, value], index) => entry(`value ${index}`, type, ...value));
    const headers = Buffer.concat([...rest.slice(0, 5), bcc, ...rest.slice(5)]);
    raw.publish(1, { routingKey: queue }, 'body', { headers });
    assert.deepEqual(
      (await raw.get(1, queue))?.header,
      encodeContentHeader(4, { headers: Buffer.concat(rest) }),
    );
  });
});

describe('field tables as arguments', { concurrency: true }, () => {
  test('values of every type are accepted, and an equal table finds its binding', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.declare', { exchange });
    const table = Buffer.concat(
      values.map(([, type, value], index) => entry(`x-${index}`, type, ...value)),
    );
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'k', arguments: table });
    await raw.call(1, 'queue.unbind', { queue, exchange, routingKey: 'k', arguments: table });
    raw.publish(1, { exchange, routingKey: 'k' }, 'unroutable');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  for (const [what, table] of [
    ['of an unknown type', entry('name', 'Z', Buffer.of(1))],
    ['cut short in a value', entry('name', 'I', Buffer.of(1, 2))],
    ['cut short in a name', Buffer.from([9, 0x6e])],
    ['with a string longer than the table', entry('name', 'S', unsigned(4, 1000))],
    ['with an array longer than the table', entry('name', 'A', unsigned(4, 1000))],
    ['with a table longer than the table', entry('name', 'F', unsigned(4, 1000))],
  ] as const) {
    test(`a table ${what} closes the connection`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, 'queue.declare', { queue: broker.queueName(), arguments: table });
      const close = broker.expected(undecodableTable);
      if (close) await raw.expectClose(0, close);
      else await raw.expectEnd();
    });
  }
});
