import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlabAllocator } from '../../store/slab.js';
import { AddressReader } from './address-reader.js';
import { AmqpMessage } from './amqp-message.js';
import { type Content, contents, framesOf, passing } from './content.test.support.js';

const PLAIN: Content = {
  exchange: 'amq.topic',
  routingKey: 'a.b',
  mandatory: false,
  immediate: false,
  properties: { contentType: 'text/plain', headers: new Map([['h', { type: 'I', value: 1 }]]) },
  body: Buffer.from('the body'),
};

function newPassing(slabs: SlabAllocator, content: Content = PLAIN): AmqpMessage {
  return passing(slabs, framesOf(1, content, [3]));
}

function factsOf(message: AmqpMessage): unknown {
  return {
    exchange: message.exchange,
    routingKey: message.routingKey,
    persistent: message.persistent,
    priority: message.priority,
    extraRoutingKeys: message.extraRoutingKeys,
    bodyBytes: message.bodyBytes,
    properties: message.properties(),
    body: message.body().toString('hex'),
  };
}

test('kept once for all who hold it, and given back with the last', () => {
  const slabs = new SlabAllocator();
  const message = newPassing(slabs);
  assert.equal(slabs.liveBytes, 0, 'passing through takes no memory');
  const kept = message.keep();
  assert.notEqual(kept, message);
  assert.equal(message.keep(), kept);
  assert.equal(kept.keep(), kept);
  kept.retain();
  kept.retain();
  assert.ok(slabs.liveBytes >= PLAIN.body.length);
  assert.deepEqual(factsOf(kept), factsOf(message));
  kept.release();
  assert.ok(slabs.liveBytes > 0);
  kept.release();
  assert.equal(slabs.liveBytes, 0);
  assert.equal(slabs.heldBytes, 0);
});

test('released by all before it is kept again, it is kept anew', () => {
  const slabs = new SlabAllocator();
  const message = newPassing(slabs);
  const first = message.keep();
  first.retain();
  first.release();
  const second = message.keep();
  second.retain();
  assert.deepEqual(factsOf(second), factsOf(message));
  assert.ok(slabs.liveBytes > 0);
  second.release();
  assert.equal(slabs.liveBytes, 0);
});

test('releasing what nobody holds is a bug', () => {
  const slabs = new SlabAllocator();
  const message = newPassing(slabs);
  assert.throws(() => message.release(), { name: 'InvariantError' });
  const kept = message.keep();
  kept.retain();
  kept.release();
  assert.throws(() => kept.release(), { name: 'InvariantError' });
  assert.equal(slabs.liveBytes, 0);
});

test('the next publish of a channel is another message', () => {
  const slabs = new SlabAllocator();
  const message = newPassing(slabs);
  const kept = message.keep();
  kept.retain();
  message.renew();
  const next = message.keep();
  next.retain();
  assert.notEqual(next, kept);
  kept.release();
  next.release();
  assert.equal(slabs.liveBytes, 0);
});

test('a message moves out of a slab that hardly anything else uses', () => {
  const slabs = new SlabAllocator();
  const survivors: AmqpMessage[] = [];
  const facts: unknown[] = [];
  for (let i = 0; i < 4_000; i++) {
    const kept = newPassing(slabs, { ...PLAIN, body: Buffer.alloc(500, i) }).keep();
    kept.retain();
    if (i % 200 === 0) survivors.push(kept);
    else kept.release();
  }
  for (const message of survivors) facts.push(factsOf(message));
  const heldBefore = slabs.heldBytes;
  const liveBefore = slabs.liveBytes;
  for (const message of survivors) message.compact();
  assert.ok(slabs.heldBytes < heldBefore / 5, `${slabs.heldBytes} of ${heldBefore}`);
  assert.equal(slabs.liveBytes, liveBefore);
  assert.deepEqual(survivors.map(factsOf), facts);
  for (const message of survivors) message.compact();
  for (const message of survivors) message.release();
  assert.equal(slabs.liveBytes, 0);
  assert.equal(slabs.heldBytes, 0);
});

test('moving a message that has gone, or never stayed, does nothing', () => {
  const slabs = new SlabAllocator();
  const message = newPassing(slabs);
  message.compact();
  const kept = message.keep();
  kept.retain();
  kept.release();
  kept.compact();
  assert.equal(slabs.liveBytes, 0);
});

/** Strings of octets, longer than a routing key may be: those in CC and BCC may, too. */
const furtherKeys = fc.option(
  fc.array(
    fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets).toString('latin1')),
  ),
  { nil: undefined },
);

test('the stored form brings a message back', () => {
  const given = [contents(3_000), fc.array(fc.nat(1_000)), fc.nat(20), furtherKeys] as const;
  fc.assert(
    fc.property(...given, (content, sizes, before, keys) => {
      const slabs = new SlabAllocator();
      const message = passing(slabs, framesOf(1, content, sizes));
      message.extraRoutingKeys = keys;
      const stored = Buffer.alloc(before + message.storedBytes + 5, 0xee);
      message.writeTo(stored, before);
      const end = before + message.storedBytes;
      assert.ok(stored.subarray(0, before).every((octet) => octet === 0xee));
      assert.ok(stored.subarray(end).every((octet) => octet === 0xee));
      const restored = AmqpMessage.restore(
        slabs,
        new AddressReader(),
        message,
        stored,
        before,
        end,
      );
      restored.retain();
      stored.fill(0);
      // What is stored was persistent.
      message.persistent = true;
      assert.deepEqual(factsOf(restored), factsOf(message));
      restored.release();
      assert.equal(slabs.liveMessages, 0);
    }),
  );
});

test('other properties: a header anew, the rest as it was', () => {
  fc.assert(
    fc.property(contents(3_000), contents(0), fc.array(fc.nat(1_000)), (content, other, sizes) => {
      const slabs = new SlabAllocator();
      const original = passing(slabs, framesOf(1, content, sizes));
      const { properties } = other;
      const changed = original.withProperties(properties);
      assert.deepEqual(original.properties(), content.properties);
      assert.deepEqual(changed.properties(), properties);
      assert.deepEqual(changed.body(), content.body);
      assert.equal(changed.exchange, content.exchange);
      original.replaceProperties(properties);
      assert.deepEqual(factsOf(original), factsOf(changed));
      const kept = original.keep();
      kept.retain();
      assert.deepEqual(factsOf(kept), factsOf(changed));
      kept.release();
      assert.equal(slabs.liveMessages, 0);
    }),
  );
});

test('another address: what goes out to consumers has it too', () => {
  const slabs = new SlabAllocator();
  const message = newPassing(slabs).readdressed('dlx', 'dead', {});
  assert.equal(message.exchange, 'dlx');
  assert.equal(message.routingKey, 'dead');
  const { addressStart, addressEnd } = message;
  assert.equal(message.buffer.toString('latin1', addressStart, addressEnd), '\x03dlx\x04dead');
  assert.deepEqual(message.body(), PLAIN.body);
});

test('a routing key longer than the protocol has room for is cut', () => {
  const message = newPassing(new SlabAllocator()).readdressed('dlx', 'k'.repeat(300), {});
  const key = 'k'.repeat(255);
  assert.equal(message.routingKey, key);
  const { addressStart, addressEnd } = message;
  assert.equal(message.buffer.toString('latin1', addressStart, addressEnd), `\x03dlx\xff${key}`);
});
