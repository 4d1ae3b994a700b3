import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { doubleEqualsInteger } from './differences.js';

const broker = await brokerUnderTest();

interface Bound {
  readonly raw: RawConnection;
  readonly exchange: string;
  readonly queue: string;
}

/** A queue bound to a new exchange with these keys, or with these tables of arguments. */
async function bound(
  t: TestContext,
  type: string,
  keys: readonly string[],
  tables: readonly WireArguments['arguments'][] = [{}],
): Promise<Bound> {
  const raw = await broker.rawChannel(t);
  const exchange = broker.exchangeName();
  const queue = broker.queueName();
  await raw.call(1, 'exchange.declare', { exchange, type });
  await raw.call(1, 'queue.declare', { queue });
  for (const routingKey of keys) {
    for (const table of tables) {
      await raw.call(1, 'queue.bind', { queue, exchange, routingKey, arguments: table ?? {} });
    }
  }
  return { raw, exchange, queue };
}

/** Which of these routing keys reach the queue. */
async function reaching(to: Bound, keys: readonly string[]): Promise<string[]> {
  for (const key of keys) to.raw.publish(1, { exchange: to.exchange, routingKey: key }, `[${key}]`);
  const bodies = await to.raw.drain(1, to.queue);
  return bodies.map((body) => body.slice(1, -1));
}

describe('the default exchange', { concurrency: true }, () => {
  test('routes to the queue of that name, and to no other', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    raw.publish(1, { exchange: '', routingKey: queue }, 'hit');
    raw.publish(1, { exchange: '', routingKey: `${queue}x` }, 'miss');
    assert.deepEqual(await raw.drain(1, queue), ['hit']);
  });
});

describe('direct exchanges', { concurrency: true }, () => {
  test('match the whole key, byte by byte', async (t) => {
    const to = await bound(t, 'direct', ['k', '', 'a.*', 'Grüße']);
    const keys = ['k', 'K', 'k ', '', 'a.b', 'a.*', 'Grüße', 'Grusse'];
    assert.deepEqual(await reaching(to, keys), ['k', '', 'a.*', 'Grüße']);
  });

  test('one key may be bound to several queues, each gets a copy', async (t) => {
    const to = await bound(t, 'direct', ['k']);
    const other = broker.queueName();
    await to.raw.call(1, 'queue.declare', { queue: other });
    await to.raw.call(1, 'queue.bind', { queue: other, exchange: to.exchange, routingKey: 'k' });
    assert.deepEqual(await reaching(to, ['k']), ['k']);
    assert.deepEqual(await reaching({ ...to, queue: other }, ['k']), ['k', 'k']);
  });
});

describe('fanout exchanges', { concurrency: true }, () => {
  test('ignore the key, and give one copy however many bindings there are', async (t) => {
    const to = await bound(t, 'fanout', ['a', 'b']);
    assert.deepEqual(await reaching(to, ['a', 'c', '']), ['a', 'c', '']);
  });

  test('pass on a key that is not UTF-8, byte for byte', async (t) => {
    const { raw, exchange, queue } = await bound(t, 'fanout', ['']);
    const routingKey = Buffer.from([0x6b, 0xff, 0xc3]);
    raw.publish(1, { exchange, routingKey }, 'message');
    const message = await raw.get(1, queue);
    assert.ok(message?.payload.includes(Buffer.concat([Buffer.of(3), routingKey])));
  });
});

describe('topic exchanges', { concurrency: true }, () => {
  const long = 'x'.repeat(255);
  for (const [pattern, matching, other] of [
    ['a.b', ['a.b'], ['a', 'a.b.c', 'b.a', 'a.b.', '.a.b', 'A.b']],
    ['*', ['a', long], ['', 'a.b']],
    ['#', ['', 'a', 'a.b', '.', '...', long], []],
    ['a.#', ['a', 'a.b', 'a.b.c', 'a.'], ['', 'b', 'ab', 'b.a']],
    ['#.a', ['a', 'b.a', 'c.b.a', '.a'], ['', 'a.b', 'ba']],
    ['a.*', ['a.b', 'a.'], ['a', 'a.b.c']],
    ['*.a', ['b.a', '.a'], ['a', 'c.b.a']],
    ['*.b.*', ['a.b.c', '.b.'], ['b', 'a.b', 'b.c', 'a.x.b.c']],
    ['#.b.#', ['b', 'a.b', 'b.c', 'a.a.b.c.c', 'b.b'], ['', 'a', 'ab.c']],
    ['*.#', ['a', 'a.b', 'a.b.c'], ['']],
    ['#.*', ['a', 'a.b', 'a.b.c'], ['']],
    ['#.#', ['', 'a', 'a.b'], []],
    ['*.*', ['a.b', '.'], ['', 'a', 'a.b.c']],
    ['a.#.b', ['a.b', 'a.x.b', 'a.x.y.b', 'a..b', 'a.b.b'], ['a', 'b', 'a.b.c', 'ab']],
    ['a.#.#.b', ['a.b', 'a.x.b'], ['a', 'b']],
    ['#.a.#.a.#', ['a.a', 'a.b.a', 'x.a.a.x'], ['a', 'a.b']],
    ['a..b', ['a..b'], ['a.b', 'a.x.b']],
    ['', [''], ['a', '.']],
    ['.', ['.'], ['', 'a', '..']],
    ['a*', ['a*'], ['ab', 'a.b', 'a']],
    ['a#.b', ['a#.b'], ['a.b', 'ax.b']],
    ['*#', ['*#'], ['a', 'a.b']],
  ] as const) {
    test(`${JSON.stringify(pattern)}`, async (t) => {
      const to = await bound(t, 'topic', [pattern]);
      assert.deepEqual(await reaching(to, [...matching, ...other]), matching);
    });
  }

  test('one copy however many patterns match', async (t) => {
    const to = await bound(t, 'topic', ['a.*', 'a.#', '#', 'a.b', '*.b']);
    assert.deepEqual(await reaching(to, ['a.b']), ['a.b']);
  });

  test('a pattern that is unbound matches no longer, the others do', async (t) => {
    const to = await bound(t, 'topic', ['a.#', 'a.*', 'a.b']);
    for (const routingKey of ['a.#', 'a.b']) {
      await to.raw.call(1, 'queue.unbind', { queue: to.queue, exchange: to.exchange, routingKey });
    }
    assert.deepEqual(await reaching(to, ['a', 'a.b', 'a.b.c']), ['a.b']);
  });

  test('several queues each get what their patterns match', async (t) => {
    const to = await bound(t, 'topic', ['*.orange.*']);
    const other = broker.queueName();
    await to.raw.call(1, 'queue.declare', { queue: other });
    for (const routingKey of ['*.*.rabbit', 'lazy.#']) {
      await to.raw.call(1, 'queue.bind', { queue: other, exchange: to.exchange, routingKey });
    }
    const keys = ['quick.orange.rabbit', 'lazy.orange.elephant', 'lazy.brown.fox', 'orange'];
    assert.deepEqual(await reaching(to, keys), keys.slice(0, 2));
    assert.deepEqual(await reaching({ ...to, queue: other }, []), keys.slice(0, 3));
  });
});

describe('headers exchanges', { concurrency: true }, () => {
  const messages: Readonly<Record<string, Record<string, unknown>>> = {
    both: { a: 1, b: 'two' },
    onlyA: { a: 1 },
    onlyB: { b: 'two' },
    otherA: { a: 2, b: 'two' },
    more: { a: 1, b: 'two', c: true, 'x-d': 'four' },
    x: { 'x-d': 'four' },
    none: {},
  };

  for (const [what, table, matching] of [
    ['all is the default', { a: 1, b: 'two' }, ['both', 'more']],
    ['all', { 'x-match': 'all', a: 1, b: 'two' }, ['both', 'more']],
    ['any', { 'x-match': 'any', a: 1, b: 'two' }, ['both', 'onlyA', 'onlyB', 'otherA', 'more']],
    [
      'all skips names with x-',
      { 'x-match': 'all', a: 1, 'x-d': 'other' },
      ['both', 'onlyA', 'more'],
    ],
    ['any skips names with x-', { 'x-match': 'any', c: true, 'x-d': 'four' }, ['more']],
    ['all-with-x', { 'x-match': 'all-with-x', a: 1, 'x-d': 'four' }, ['more']],
    ['any-with-x', { 'x-match': 'any-with-x', c: true, 'x-d': 'four' }, ['more', 'x']],
    ['all of nothing', { 'x-match': 'all' }, Object.keys(messages)],
    ['any of nothing', { 'x-match': 'any' }, []],
    ['a void value asks for presence, all', { a: null, b: 'two' }, ['both', 'otherA', 'more']],
    ['a void value asks for presence, any', { 'x-match': 'any', c: null }, ['more']],
    [
      'numbers are equal across widths',
      { a: { '!': 'long', value: 1 } },
      ['both', 'onlyA', 'more'],
    ],
    ['a string is no number', { a: '1' }, []],
    [
      'a double and an integer',
      { a: { '!': 'double', value: 1 } },
      broker.expected(doubleEqualsInteger),
    ],
  ] as const) {
    test(what, async (t) => {
      const to = await bound(t, 'headers', [''], [table]);
      for (const [name, headers] of Object.entries(messages)) {
        to.raw.publish(1, { exchange: to.exchange, routingKey: 'ignored' }, name, { headers });
      }
      assert.deepEqual(await to.raw.drain(1, to.queue), matching);
    });
  }

  test('a message without headers matches what asks for none', async (t) => {
    const to = await bound(t, 'headers', [''], [{ 'x-match': 'all' }]);
    to.raw.publish(1, { exchange: to.exchange }, 'bare');
    assert.deepEqual(await to.raw.drain(1, to.queue), ['bare']);
  });

  test('bindings of one key differ by their arguments, also when unbinding', async (t) => {
    const to = await bound(t, 'headers', [''], [{ a: 1 }, { b: 'two' }]);
    const publish = (): void => {
      for (const [name, headers] of Object.entries(messages)) {
        to.raw.publish(1, { exchange: to.exchange }, name, { headers });
      }
    };
    publish();
    const either = ['both', 'onlyA', 'onlyB', 'otherA', 'more'];
    assert.deepEqual(await to.raw.drain(1, to.queue), either);
    await to.raw.call(1, 'queue.unbind', {
      queue: to.queue,
      exchange: to.exchange,
      arguments: { b: 'two' },
    });
    publish();
    assert.deepEqual(await to.raw.drain(1, to.queue), ['both', 'onlyA', 'more']);
  });

  for (const [value, text] of [
    [
      'some',
      'Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x',
    ],
    [1, 'Invalid x-match field type byte (value 1); expected longstr'],
    [{ '!': 'int', value: 1 }, 'Invalid x-match field type signedint (value 1); expected longstr'],
    [true, 'Invalid x-match field type bool (value true); expected longstr'],
  ] as const) {
    test(`x-match ${JSON.stringify(value)} is 406`, async (t) => {
      const to = await bound(t, 'headers', []);
      to.raw.sendMethod(1, 'queue.bind', {
        queue: to.queue,
        exchange: to.exchange,
        arguments: { 'x-match': value },
      });
      await to.raw.expectClose(1, channelClose(406, text, 'queue.bind'));
    });
  }

  test('on other exchanges x-match may be anything', async (t) => {
    const to = await bound(t, 'direct', ['k'], [{ 'x-match': 'some' }]);
    assert.deepEqual(await reaching(to, ['k']), ['k']);
  });
});
