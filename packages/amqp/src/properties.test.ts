import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { basicProperties } from './arbitraries.test.support.js';
import { DecodeError, EncodeError } from './errors.js';
import {
  type BasicProperties,
  decodeHeaders,
  decodeProperties,
  encodeProperties,
} from './properties.js';

function decode(bytes: Buffer): BasicProperties {
  return decodeProperties(bytes, 0, bytes.length);
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

test('no properties are two zero octets', () => {
  assert.deepEqual(encodeProperties({}), bytesOf('0000'));
  assert.deepEqual(decode(bytesOf('0000')), {});
});

test('all properties, byte for byte', () => {
  const properties: BasicProperties = {
    contentType: 'a',
    contentEncoding: 'b',
    headers: new Map([['k', { type: 'V', value: null }]]),
    deliveryMode: 2,
    priority: 9,
    correlationId: 'c',
    replyTo: 'd',
    expiration: '60',
    messageId: 'e',
    timestamp: 1n,
    type: 'f',
    userId: 'g',
    appId: 'h',
    clusterId: 'i',
  };
  const bytes = bytesOf(
    'fffc 0161 0162 00000003016b56 02 09 0163 0164 023630 0165 0000000000000001' +
      '0166 0167 0168 0169',
  );
  assert.deepEqual(encodeProperties(properties), bytes);
  assert.deepEqual(decode(bytes), properties);
});

test('properties come back, whichever there are', () => {
  fc.assert(
    fc.property(basicProperties, (properties) => {
      assert.deepEqual(decode(encodeProperties(properties)), properties);
    }),
  );
});

test('headers alone are those among the properties', () => {
  fc.assert(
    fc.property(basicProperties, (properties) => {
      const bytes = encodeProperties(properties);
      assert.deepEqual(decodeHeaders(bytes, 0, bytes.length), properties.headers);
    }),
  );
});

test('properties cut anywhere, or with bytes left over, are a DecodeError', () => {
  fc.assert(
    fc.property(basicProperties, (properties) => {
      const bytes = encodeProperties(properties);
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => decodeProperties(bytes, 0, end), DecodeError);
      }
      assert.throws(() => decode(Buffer.concat([bytes, Buffer.alloc(1)])), DecodeError);
    }),
    { numRuns: 30 },
  );
});

test('the two flags without a property are ignored, as in RabbitMQ', () => {
  assert.deepEqual(decode(bytesOf('8003 0161')), { contentType: 'a' });
  assert.deepEqual(decode(bytesOf('0003')), {});
  assert.throws(() => decode(bytesOf('8001 0000 0161')), DecodeError, 'no second word is read');
});

test('a property out of range is an EncodeError', () => {
  assert.throws(() => encodeProperties({ priority: 256 }), EncodeError);
  assert.throws(() => encodeProperties({ timestamp: -1n }), EncodeError);
  assert.throws(() => encodeProperties({ replyTo: 'x'.repeat(256) }), EncodeError);
});
