import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BasicProperties, FieldTable, FieldValue } from '@leveret/amqp';
import { TestMessage } from '../../message.test.support.js';
import { readGroupKey } from './group-key.js';

/** A message that has whatever properties it is given. */
class Letter extends TestMessage {
  readonly #properties: BasicProperties;

  constructor(properties: BasicProperties) {
    super('letter', properties.headers);
    this.#properties = properties;
    this.routingKey = 'orders.new';
  }

  override properties(): BasicProperties {
    return this.#properties;
  }
}

function keyOf(groupBy: string, properties: BasicProperties = {}): string | undefined {
  return readGroupKey(groupBy)?.(new Letter(properties));
}

function header(name: string, value: FieldValue): { headers: FieldTable } {
  return { headers: new Map([[name, value]]) };
}

test('a header, by its name alone or behind header:', () => {
  const properties = header('customer', { type: 'S', value: 'anna' });
  assert.equal(keyOf('customer', properties), 'anna');
  assert.equal(keyOf('header:customer', properties), 'anna');
  assert.equal(keyOf('header:routing-key', header('routing-key', { type: 'S', value: 'x' })), 'x');
  assert.equal(keyOf('a:b', header('a:b', { type: 'S', value: 'x' })), 'x');
});

test('a number is the same key whatever its width, and as text', () => {
  const values: FieldValue[] = [
    { type: 'b', value: 7 },
    { type: 'I', value: 7 },
    { type: 'l', value: 7n },
    { type: 'S', value: '7' },
    { type: 'x', value: Buffer.from('7') },
  ];
  for (const value of values) assert.equal(keyOf('n', header('n', value)), '7');
});

test('a property, and the routing key', () => {
  assert.equal(keyOf('property:correlation-id', { correlationId: 'c' }), 'c');
  assert.equal(keyOf('property:message-id', { messageId: 'm' }), 'm');
  assert.equal(keyOf('property:type', { type: 't' }), 't');
  assert.equal(keyOf('routing-key'), 'orders.new');
});

test('what is not there, or is nothing, is no key', () => {
  assert.equal(keyOf('customer'), '');
  assert.equal(keyOf('customer', header('customer', { type: 'V', value: null })), '');
  assert.equal(keyOf('customer', header('customer', { type: 'S', value: '' })), '');
  assert.equal(keyOf('property:app-id'), '');
});

test('long keys are told apart, and held short', () => {
  const long = (end: string): string =>
    keyOf('k', header('k', { type: 'S', value: 'x'.repeat(100_000) + end }))!;
  assert.equal(long('a'), long('a'));
  assert.notEqual(long('a'), long('b'));
  assert.ok(long('a').length <= 64);
});

test('what names nothing', () => {
  for (const groupBy of ['', 'header:', 'property:', 'property:age', 'property:toString']) {
    assert.equal(readGroupKey(groupBy), undefined, groupBy);
  }
  assert.equal(readGroupKey(undefined), undefined);
});
