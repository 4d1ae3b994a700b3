import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldValue } from '@leveret/amqp';
import { TestMessage } from '../message.test.support.js';
import { messageKey } from './message-key.js';
import { queueDeduplication } from './settings.js';

const settings = queueDeduplication(
  new Map([['x-message-deduplication', { type: 't', value: true }]]),
)!;

function keyOf(value: FieldValue): string | undefined {
  return messageKey(new TestMessage('m', new Map([[settings.header, value]])), settings)?.key;
}

test('values that RabbitMQ takes for the same are the same key, and no others', () => {
  const classes: FieldValue[][] = [
    [
      { type: 'b', value: 1 },
      { type: 'I', value: 1 },
      { type: 'l', value: 1n },
      { type: 'T', value: 1n },
    ],
    [
      { type: 'f', value: 1 },
      { type: 'd', value: 1 },
    ],
    [
      { type: 'S', value: '1' },
      { type: 'x', value: Buffer.from('1') },
    ],
    [{ type: 't', value: true }],
    [{ type: 't', value: false }],
    [{ type: 'V', value: null }],
    [{ type: 'A', value: [] }],
    [{ type: 'F', value: new Map() }],
    [{ type: 'D', value: { scale: 0, value: 1 } }],
    [{ type: 'S', value: '' }],
  ];
  const keys = classes.map((same) => new Set(same.map(keyOf)));
  for (const each of keys) assert.equal(each.size, 1);
  assert.equal(new Set(keys.flatMap((each) => [...each])).size, classes.length);
});

test('a long key is remembered in little room', () => {
  const long = 'k'.repeat(100_000);
  const key = keyOf({ type: 'S', value: long })!;
  assert.ok(key.length < 100);
  assert.notEqual(key, keyOf({ type: 'S', value: `${long}k` }));
});
