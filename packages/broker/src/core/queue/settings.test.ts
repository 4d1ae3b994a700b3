import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableOf } from '../plain-table.test.support.js';
import { effectiveQueueSettings } from './settings.js';

test('nothing asked for, nothing set', () => {
  assert.deepEqual(effectiveQueueSettings(new Map()), {
    messageTtlMilliseconds: undefined,
    expiresMilliseconds: undefined,
    maxLength: undefined,
    maxLengthBytes: undefined,
    overflow: 'drop-head',
    deadLetterExchange: undefined,
    deadLetterRoutingKey: undefined,
    deadLetterStrategy: 'at-most-once',
    deduplication: undefined,
    deliveryLimit: undefined,
    retry: undefined,
    consumerTimeoutMilliseconds: undefined,
    groupBy: undefined,
  });
});

test('of limits the smallest holds, whoever sets it', () => {
  const args = tableOf({ 'x-message-ttl': 300, 'x-max-length': 1, 'x-expires': 7 });
  const settings = effectiveQueueSettings(
    args,
    { 'message-ttl': 200, 'max-length': 2, 'consumer-timeout': 50 },
    { 'message-ttl': 100, 'max-length-bytes': 9, 'consumer-timeout': 60 },
  );
  assert.equal(settings.messageTtlMilliseconds, 100);
  assert.equal(settings.maxLength, 1);
  assert.equal(settings.maxLengthBytes, 9);
  assert.equal(settings.expiresMilliseconds, 7);
  assert.equal(settings.consumerTimeoutMilliseconds, 50);
});

test('of everything else the queue’s own argument, then the policy', () => {
  const policy = {
    'dead-letter-exchange': 'policy',
    'dead-letter-routing-key': 'policy key',
    overflow: 'reject-publish',
  };
  const own = tableOf({ 'x-dead-letter-exchange': 'own', 'x-overflow': 'drop-head' });
  const settings = effectiveQueueSettings(own, policy, { overflow: 'reject-publish-dlx' });
  assert.equal(settings.deadLetterExchange, 'own');
  assert.equal(settings.deadLetterRoutingKey, 'policy key');
  assert.equal(settings.overflow, 'drop-head');
  const operated = effectiveQueueSettings(new Map(), policy, { overflow: 'reject-publish-dlx' });
  assert.equal(operated.overflow, 'reject-publish-dlx');
});

test('a negative delivery limit is none, and gives way to any', () => {
  const unlimited = tableOf({ 'x-delivery-limit': -1 });
  assert.equal(effectiveQueueSettings(unlimited).deliveryLimit, undefined);
  assert.equal(effectiveQueueSettings(unlimited, { 'delivery-limit': 5 }).deliveryLimit, 5);
});

test('what is of the wrong type is passed over', () => {
  const settings = effectiveQueueSettings(new Map(), {
    'message-ttl': '100',
    overflow: 'sideways',
    'dead-letter-exchange': 5,
  });
  assert.deepEqual(settings, effectiveQueueSettings(new Map()));
});
