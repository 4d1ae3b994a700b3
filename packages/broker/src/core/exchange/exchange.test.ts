import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import fc from 'fast-check';
import { messageFor } from '../message.test.support.js';
import { Exchange, isExchangeType } from './exchange.js';
import type { Destination } from './router.js';

const NONE: FieldTable = new Map();

/** All different, some nearly the same. */
const VALUES: readonly FieldValue[] = [
  { type: 'I', value: 1 },
  { type: 'b', value: 1 },
  { type: 'l', value: 1n },
  { type: 'T', value: 1n },
  { type: 'l', value: 2n ** 53n },
  { type: 'l', value: 2n ** 53n + 1n },
  { type: 'd', value: Number.NaN },
  { type: 'd', value: Number.POSITIVE_INFINITY },
  { type: 'd', value: Number.NEGATIVE_INFINITY },
  { type: 'd', value: 1 },
  { type: 'S', value: '1' },
  { type: 'S', value: 'null' },
  { type: 'x', value: Buffer.from('1') },
  { type: 't', value: true },
  { type: 'V', value: null },
  { type: 'D', value: { scale: 1, value: 2 } },
  { type: 'D', value: { scale: 2, value: 1 } },
  { type: 'A', value: [{ type: 'I', value: 1 }] },
  { type: 'A', value: [{ type: 'b', value: 1 }] },
  { type: 'A', value: [] },
  { type: 'F', value: new Map([['a', { type: 'I', value: 1 }]]) },
  { type: 'F', value: new Map() },
];
const value = fc.constantFrom(...VALUES);
const args = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', '"'), value), {
  maxLength: 3,
  selector: ([name]) => name,
});

function newExchange(name: string, type = 'direct', args: FieldTable = NONE): Exchange {
  return new Exchange({
    name,
    type,
    durable: false,
    autoDelete: false,
    internal: false,
    arguments: args,
  });
}

/** Whether a binding is new. */
function bind(from: Exchange, to: Destination, key: string, args: FieldTable): boolean {
  return from.bind(to, key, args) !== undefined;
}

/** Whether a binding was there. */
function unbind(from: Exchange, to: Destination, key: string, args: FieldTable): boolean {
  return from.unbind(to, key, args) !== undefined;
}

function routed(exchange: Exchange, routingKey: string): string[] {
  const into = new Set<Destination>();
  exchange.router.route(routingKey, messageFor(routingKey), into);
  return [...into].map((each) => each.name);
}

test('the four types of RabbitMQ are known, and no others', () => {
  for (const type of ['direct', 'fanout', 'topic', 'headers']) {
    assert.equal(isExchangeType(type), true);
    assert.equal(newExchange('x', type).spec.type, type);
  }
  for (const type of ['', 'Direct', 'constructor', '__proto__', 'x-jms-topic']) {
    assert.equal(isExchangeType(type), false, type);
  }
});

test('a binding is there once, however often it is made', () => {
  const source = newExchange('source');
  const to = newExchange('to');
  assert.equal(bind(source, to, 'k', NONE), true);
  assert.equal(bind(source, to, 'k', new Map()), false);
  assert.equal([...source.bindings()].length, 1);
  assert.equal(unbind(source, to, 'k', NONE), true);
  assert.equal(unbind(source, to, 'k', NONE), false);
  assert.equal(source.hasBindings, false);
  assert.deepEqual(routed(source, 'k'), []);
});

test('key, arguments and destination make a binding; each goes on its own', () => {
  const source = newExchange('source');
  const to = newExchange('to');
  const args: FieldTable = new Map([['n', { type: 'I', value: 1 }]]);
  assert.equal(bind(source, to, 'k', NONE), true);
  assert.equal(bind(source, to, 'k', args), true);
  assert.equal(bind(source, to, 'l', NONE), true);
  assert.equal(bind(source, newExchange('other'), 'k', NONE), true);
  assert.equal([...source.bindings()].length, 4);
  source.unbind(to, 'k', NONE);
  assert.deepEqual(routed(source, 'k'), ['to', 'other'], 'the one with arguments is left');
  source.unbind(to, 'k', args);
  assert.deepEqual(routed(source, 'k'), ['other']);
  assert.deepEqual(routed(source, 'l'), ['to']);
});

test('a destination knows the exchanges it is bound to for as long as a binding is left', () => {
  const source = newExchange('source');
  const to = newExchange('to');
  source.bind(to, 'k', NONE);
  source.bind(to, 'l', NONE);
  assert.deepEqual([...to.sources], [source]);
  source.unbind(to, 'k', NONE);
  assert.deepEqual([...to.sources], [source]);
  source.unbind(to, 'l', NONE);
  assert.equal(to.sources.size, 0);
  source.bind(to, 'k', NONE);
  source.bind(to, 'l', NONE);
  source.unbindAll(to);
  assert.equal(to.sources.size, 0);
  assert.equal(source.hasBindings, false);
  assert.deepEqual(routed(source, 'k'), []);
});

test('bad arguments leave no binding', () => {
  const source = newExchange('source', 'headers');
  const to = newExchange('to');
  const args: FieldTable = new Map([['x-match', { type: 'S', value: 'none' }]]);
  assert.throws(() => source.bind(to, '', args), { name: 'Refusal' });
  assert.equal(source.hasBindings, false);
  assert.equal(to.sources.size, 0);
});

test('the order of arguments does not matter, their values and types do', () => {
  fc.assert(
    fc.property(args, args, (a, b) => {
      const source = newExchange('source');
      const to = newExchange('to');
      source.bind(to, 'k', new Map(a));
      assert.equal(bind(source, to, 'k', new Map([...a].reverse())), false);
      assert.equal(bind(source, to, 'k', new Map(b)), !sameTerms(a, b));
      assert.equal(unbind(source, to, 'k', new Map([...a].reverse())), true);
    }),
    { numRuns: 1000 },
  );
});

test('bindings that differ in one value alone are different', () => {
  const source = newExchange('source');
  const to = newExchange('to');
  for (const each of VALUES) {
    assert.equal(bind(source, to, 'k', new Map([['a', each]])), true, String(each.value));
  }
  for (const each of VALUES) {
    assert.equal(unbind(source, to, 'k', new Map([['a', each]])), true);
  }
});

test('the alternate exchange is an argument, if it is a string', () => {
  const argument = (value: FieldValue): FieldTable => new Map([['alternate-exchange', value]]);
  assert.equal(newExchange('x').alternate, undefined);
  const named = newExchange('x', 'direct', argument({ type: 'S', value: 'other' }));
  assert.equal(named.alternate, 'other');
  assert.equal(newExchange('x', 'direct', argument({ type: 'I', value: 1 })).alternate, undefined);
});

/** Whether two lists of arguments are the same: VALUES are all different. */
function sameTerms(
  a: readonly (readonly [string, FieldValue])[],
  b: readonly (readonly [string, FieldValue])[],
): boolean {
  if (a.length !== b.length) return false;
  const table = new Map(b);
  return a.every(([name, each]) => table.get(name) === each);
}
