import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { hasExchangeType } from './controlled-broker.js';
import {
  hashArgumentOfWrongType,
  historyThroughAnExchange,
  keysMovedByARemoval,
} from './differences.js';

const broker = await brokerUnderTest();

/** Options of a test that needs an exchange type which RabbitMQ has as a plugin. */
async function needing(type: string): Promise<{ skip: string | false; concurrency: boolean }> {
  const has = await hasExchangeType(broker, type);
  return { skip: has ? false : `the broker has no ${type}`, concurrency: true };
}

interface World {
  readonly t: TestContext;
  readonly raw: RawConnection;
  readonly exchange: string;
}

async function declared(
  t: TestContext,
  type: string,
  args: WireArguments['arguments'] = {},
): Promise<World> {
  const raw = await broker.rawChannel(t);
  const exchange = broker.exchangeName();
  await raw.call(1, 'exchange.declare', { exchange, type, arguments: args });
  return { t, raw, exchange };
}

/** A new queue bound with each of the keys. */
async function bind({ raw, exchange }: World, ...keys: string[]): Promise<string> {
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  for (const routingKey of keys) await raw.call(1, 'queue.bind', { queue, exchange, routingKey });
  return queue;
}

/** Publishes bodies 0, 1, 2 ... with keys and properties, and waits until they are confirmed. */
async function publishMany(
  { t, exchange }: World,
  count: number,
  keyOf: (index: number) => string,
  propertiesOf: (index: number) => WireArguments = () => ({}),
): Promise<void> {
  const raw = await broker.rawChannel(t);
  await raw.call(1, 'confirm.select');
  const unconfirmed = new Set<number>();
  for (let i = 0; i < count; i++) {
    raw.publish(1, { exchange, routingKey: keyOf(i) }, String(i), propertiesOf(i));
    unconfirmed.add(i + 1);
  }
  while (unconfirmed.size > 0) {
    const { args } = await raw.expectMethod('basic.ack', 1);
    const last = Number(args.deliveryTag);
    const isConfirmed = (tag: number): boolean => (args.multiple ? tag <= last : tag === last);
    for (const tag of unconfirmed) if (isConfirmed(tag)) unconfirmed.delete(tag);
  }
}

async function drainAll({ raw }: World, queues: readonly string[]): Promise<string[][]> {
  const bodies: string[][] = [];
  for (const queue of queues) bodies.push(await raw.drain(1, queue));
  return bodies;
}

function near(actual: number, expected: number, within: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual}, not near ${expected}`);
}

const consistentHash = await needing('x-consistent-hash');

describe('x-consistent-hash', consistentHash, () => {
  test('spreads routing keys by the weights of the bindings', async (t) => {
    const world = await declared(t, 'x-consistent-hash');
    const queues = [await bind(world, '1'), await bind(world, '3')];
    await publishMany(world, 2_000, (i) => `key ${i}`);
    const [light = [], heavy = []] = await drainAll(world, queues);
    assert.equal(light.length + heavy.length, 2_000);
    near(light.length, 500, 150, 'the lighter queue');
  });

  test('sends the same key to the same queue', async (t) => {
    const world = await declared(t, 'x-consistent-hash');
    const queues = [await bind(world, '10'), await bind(world, '10'), await bind(world, '10')];
    await publishMany(world, 300, (i) => `key ${i % 30}`);
    for (const bodies of await drainAll(world, queues)) {
      const keys = new Set(bodies.map((body) => Number(body) % 30));
      assert.equal(bodies.length, keys.size * 10);
    }
  });

  test('a queue bound twice keeps its first weight', async (t) => {
    const world = await declared(t, 'x-consistent-hash');
    const queues = [await bind(world, '1', '100'), await bind(world, '1')];
    await publishMany(world, 1_000, (i) => `key ${i}`);
    const [first = []] = await drainAll(world, queues);
    near(first.length, 500, 120, 'the queue bound twice');
  });

  test('when a binding goes, its keys go to the others', async (t) => {
    const world = await declared(t, 'x-consistent-hash');
    const queues = [await bind(world, '1'), await bind(world, '1'), await bind(world, '1')];
    await publishMany(world, 600, (i) => `key ${i}`);
    const before = await drainAll(world, queues);
    const unbind = { queue: queues[0]!, exchange: world.exchange, routingKey: '1' };
    await world.raw.call(1, 'queue.unbind', unbind);
    await publishMany(world, 600, (i) => `key ${i}`);
    const after = await drainAll(world, queues);
    assert.equal(after.flat().length, 600);
    assert.equal(after[0]?.length, 0);
    const moved = before.flatMap((bodies, index) =>
      index === 0 ? [] : bodies.filter((body) => !after[index]?.includes(body)),
    );
    const expected = broker.expected(keysMovedByARemoval);
    assert.equal(moved.length > 0 ? 'others too' : 'only its own', expected);
  });

  const bySource: readonly (readonly [string, WireArguments, (i: number) => WireArguments])[] = [
    ['a header', { 'hash-header': 'id' }, (i) => ({ headers: { id: `id ${i}` } })],
    ['message_id', { 'hash-property': 'message_id' }, (i) => ({ messageId: `m ${i}` })],
    ['correlation_id', { 'hash-property': 'correlation_id' }, (i) => ({ correlationId: `c${i}` })],
    ['timestamp', { 'hash-property': 'timestamp' }, (i) => ({ timestamp: 1_700_000_000 + i })],
  ];
  for (const [what, args, propertiesOf] of bySource) {
    test(`goes by ${what} if it is told to, and not by the routing key`, async (t) => {
      const world = await declared(t, 'x-consistent-hash', args);
      const queues = [await bind(world, '10'), await bind(world, '10')];
      await publishMany(
        world,
        400,
        (i) => `key ${i}`,
        (i) => propertiesOf(i % 40),
      );
      for (const bodies of await drainAll(world, queues)) {
        const sources = new Set(bodies.map((body) => Number(body) % 40));
        assert.equal(bodies.length, sources.size * 10);
        assert.ok(sources.size > 5, `${sources.size} of 40 went to a queue`);
      }
    });
  }

  test('a message without what it should go by goes somewhere all the same', async (t) => {
    const world = await declared(t, 'x-consistent-hash', { 'hash-header': 'id' });
    const queues = [await bind(world, '10'), await bind(world, '10')];
    await publishMany(world, 20, (i) => `key ${i}`);
    const lengths = (await drainAll(world, queues)).map((bodies) => bodies.length);
    assert.deepEqual(
      lengths.toSorted((a, b) => a - b),
      [0, 20],
    );
  });

  test('refuses a binding key that is no weight', async (t) => {
    for (const [routingKey, text] of [
      ['x', 'The binding key must be an integer: <<"x">>'],
      ['', 'The binding key must be an integer: <<>>'],
      ['1.5', 'The binding key must be an integer: <<"1.5">>'],
      ['0', 'The binding key must be greater than 0'],
      ['-1', 'The binding key must be greater than 0'],
    ] as const) {
      const { raw, exchange } = await declared(t, 'x-consistent-hash');
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      raw.sendMethod(1, 'queue.bind', { queue, exchange, routingKey });
      await raw.expectClose(1, channelClose(406, text, 'queue.bind'));
    }
  });

  test('refuses arguments it can do nothing with', async (t) => {
    const both = { 'hash-header': 'a', 'hash-property': 'message_id' };
    for (const [args, expected] of [
      [both, 'hash-header and hash-property are mutually exclusive'],
      [{ 'hash-property': 'reply_to' }, 'Unsupported property: reply_to'],
    ] as const) {
      const raw = await broker.rawChannel(t);
      const exchange = broker.exchangeName();
      const type = 'x-consistent-hash';
      raw.sendMethod(1, 'exchange.declare', { exchange, type, arguments: args });
      await raw.expectClose(1, channelClose(406, expected, 'exchange.declare'));
    }
    const raw = await broker.rawChannel(t);
    const exchange = broker.exchangeName();
    const args = { 'hash-header': 5 };
    raw.sendMethod(1, 'exchange.declare', { exchange, type: 'x-consistent-hash', arguments: args });
    const expected = broker.expected(hashArgumentOfWrongType);
    await raw.expectClose(expected.scope === 'channel' ? 1 : 0, expected);
  });

  test('takes other hash arguments on a second declaration: they are not compared', async (t) => {
    const { raw, exchange } = await declared(t, 'x-consistent-hash', { 'hash-header': 'a' });
    const args = { 'hash-header': 'b' };
    await raw.call(1, 'exchange.declare', { exchange, type: 'x-consistent-hash', arguments: args });
  });
});

describe('x-random', await needing('x-random'), () => {
  test('gives each message to one of the queues, and all of them their share', async (t) => {
    const world = await declared(t, 'x-random');
    const queues = [await bind(world, ''), await bind(world, 'k'), await bind(world, 'l')];
    await publishMany(world, 900, () => 'same');
    const lengths = (await drainAll(world, queues)).map((bodies) => bodies.length);
    assert.equal(lengths[0]! + lengths[1]! + lengths[2]!, 900);
    for (const length of lengths) near(length, 300, 120, 'a queue');
  });
});

describe('x-modulus-hash', await needing('x-modulus-hash'), () => {
  test('gives each message to one of the queues, by its routing key', async (t) => {
    const world = await declared(t, 'x-modulus-hash');
    const queues = [await bind(world, ''), await bind(world, ''), await bind(world, '')];
    await publishMany(world, 600, (i) => `key ${i % 60}`);
    const all = await drainAll(world, queues);
    assert.equal(all.flat().length, 600);
    for (const bodies of all) {
      const keys = new Set(bodies.map((body) => Number(body) % 60));
      assert.equal(bodies.length, keys.size * 10);
      assert.ok(keys.size > 5, `${keys.size} of 60 keys went to a queue`);
    }
  });
});

const recentHistory = await needing('x-recent-history');

describe('x-recent-history', recentHistory, () => {
  test('gives a new queue the last 20 messages, oldest first, and then what comes', async (t) => {
    const world = await declared(t, 'x-recent-history');
    await publishMany(world, 25, () => 'k');
    const queue = await bind(world, 'whatever');
    await world.raw.untilReady(1, queue, 20);
    const expected = Array.from({ length: 20 }, (_, i) => String(i + 5));
    assert.deepEqual(await world.raw.drain(1, queue), expected);
    await world.raw.call(1, 'queue.bind', {
      queue,
      exchange: world.exchange,
      routingKey: 'whatever',
    });
    assert.deepEqual(await world.raw.drain(1, queue), []);
  });

  test('keeps as many as x-recent-history-length says', async (t) => {
    const world = await declared(t, 'x-recent-history', { 'x-recent-history-length': 2 });
    await publishMany(world, 5, () => 'k');
    const queue = await bind(world, '');
    await world.raw.untilReady(1, queue, 2);
    assert.deepEqual(await world.raw.drain(1, queue), ['3', '4']);
  });

  test('does not keep what asks not to be kept', async (t) => {
    const world = await declared(t, 'x-recent-history');
    const first = await bind(world, '');
    const noStore = { headers: { 'x-recent-history-no-store': true } };
    await publishMany(
      world,
      4,
      () => 'k',
      (i) => (i % 2 === 0 ? noStore : {}),
    );
    const second = await bind(world, '');
    await world.raw.untilReady(1, second, 2);
    const both = [
      ['0', '1', '2', '3'],
      ['1', '3'],
    ];
    assert.deepEqual(await drainAll(world, [first, second]), both);
  });

  test('replays a message as it was', async (t) => {
    const world = await declared(t, 'x-recent-history');
    await publishMany(
      world,
      1,
      () => 'k',
      () => ({ messageId: 'm', deliveryMode: 2 }),
    );
    const queue = await bind(world, '');
    await world.raw.untilReady(1, queue, 1);
    const message = await world.raw.get(1, queue);
    assert.equal(message?.args.exchange, world.exchange);
    assert.equal(message?.args.routingKey, 'k');
    assert.equal(message?.properties.messageId, 'm');
    assert.equal(message?.properties.deliveryMode, 2);
  });

  test('replays through an exchange that is bound', async (t) => {
    const world = await declared(t, 'x-recent-history');
    const destination = broker.exchangeName();
    await world.raw.call(1, 'exchange.declare', { exchange: destination, type: 'fanout' });
    const queue = await bind({ ...world, exchange: destination }, '');
    await publishMany(world, 3, () => 'k');
    await world.raw.call(1, 'exchange.bind', { source: world.exchange, destination });
    await world.raw.untilReady(1, queue, 3);
    const expected = broker.expected(historyThroughAnExchange);
    assert.deepEqual(await world.raw.drain(1, queue), expected);
  });

  test('refuses a length that is no positive integer', async (t) => {
    for (const [value, printed] of [
      [0, '0'],
      [-1, '-1'],
      ['abc', '<<"abc">>'],
      [1.5, '1.5'],
      [true, 'true'],
    ] as const) {
      const raw = await broker.rawChannel(t);
      const exchange = broker.exchangeName();
      const args = { 'x-recent-history-length': value };
      const declaration = { exchange, type: 'x-recent-history', arguments: args };
      raw.sendMethod(1, 'exchange.declare', declaration);
      const text = `Invalid argument ${printed}, 'x-recent-history-length' must be a positive integer`;
      await raw.expectClose(1, channelClose(406, text, 'exchange.declare'));
    }
  });
});
