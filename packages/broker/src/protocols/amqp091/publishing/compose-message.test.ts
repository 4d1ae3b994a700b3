import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldValue } from '@leveret/amqp';
import { SlabAllocator } from '../../../store/slab.js';
import { composeMessage } from './compose-message.js';

const ADDRESS = { exchange: 'amq.topic', routingKey: 'k.\u00ff' };

test('a message of the broker is what it was made of', () => {
  const header: FieldValue = { type: 'S', value: 'v' };
  const properties = { headers: new Map([['h', header]]), deliveryMode: 2, priority: 4 };
  const slabs = new SlabAllocator();
  const made = composeMessage(slabs, { ...ADDRESS, properties, body: Buffer.from('body') });
  for (const message of [made, made.keep()]) {
    assert.equal(message.exchange, 'amq.topic');
    assert.equal(message.routingKey, 'k.\u00ff');
    assert.equal(message.persistent, true);
    assert.equal(message.priority, 4);
    assert.equal(message.bodyBytes, 4);
    assert.deepEqual(message.properties(), properties);
    assert.equal(message.body().toString(), 'body');
  }
});

test('an empty body has no frame, and a long one has several', () => {
  const slabs = new SlabAllocator();
  const empty = composeMessage(slabs, { ...ADDRESS, properties: {}, body: Buffer.alloc(0) });
  assert.equal(empty.bodyFramesStart, empty.framesEnd);
  assert.equal(empty.persistent, false);
  const body = Buffer.alloc(300_000, 'leveret');
  const long = composeMessage(slabs, { ...ADDRESS, properties: {}, body });
  assert.ok(long.body().equals(body));
  assert.equal(long.framesEnd - long.bodyFramesStart, body.length + 3 * 8);
});

test('a routing key longer than the protocol has room for is cut', () => {
  const routingKey = `publish.${'x'.repeat(255)}`;
  const parts = {
    exchange: 'amq.rabbitmq.trace',
    routingKey,
    properties: {},
    body: Buffer.alloc(0),
  };
  const message = composeMessage(new SlabAllocator(), parts);
  const cut = routingKey.slice(0, 255);
  assert.equal(message.routingKey, cut);
  const { addressStart, addressEnd } = message;
  const address = message.buffer.toString('latin1', addressStart, addressEnd);
  assert.equal(address, `\x12amq.rabbitmq.trace\xff${cut}`);
});
