import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertRefused } from '../refusal.test.support.js';
import type { PolicyKind, PolicyRequest } from './policy.js';
import { checkPolicy } from './policy-check.js';

/** What JSON or JavaScript may hand over, whatever the types say. */
function request(parts: Record<string, unknown>): PolicyRequest {
  const whole = { name: 'p', pattern: '^a', definition: { expires: 1 }, ...parts };
  // Checking this is what is tested.
  return whole as unknown as PolicyRequest;
}

function refused(parts: Record<string, unknown>, text: string, kind: PolicyKind = 'policy'): void {
  assertRefused(() => checkPolicy(kind, request(parts)), 'precondition-failed', text);
}

function accepted(definition: Record<string, unknown>, kind: PolicyKind = 'policy'): void {
  assert.ok(checkPolicy(kind, request({ definition })).matches('abc'));
}

describe('a policy', () => {
  test('is taken with every key it may have', () => {
    accepted({ 'alternate-exchange': '', 'dead-letter-exchange': 'x' });
    accepted({ 'dead-letter-routing-key': 'k', 'dead-letter-strategy': 'at-least-once' });
    accepted({ 'message-ttl': 0, expires: 1, 'delivery-limit': 0, 'consumer-timeout': 0 });
    accepted({ 'max-length': 0, 'max-length-bytes': 0, overflow: 'reject-publish-dlx' });
    accepted({ 'max-in-memory-length': 0, 'max-in-memory-bytes': 0, 'initial-cluster-size': 0 });
    accepted({ 'queue-mode': 'lazy', 'queue-version': 2, 'queue-leader-locator': 'balanced' });
    accepted({ 'group-by': 'header:customer' });
    accepted({ 'max-age': '007D', 'stream-filter-size-bytes': 16 });
    accepted({ 'stream-max-segment-size-bytes': 3_000_000_000 });
  });

  test('is taken with keys that only a cluster gives a meaning', () => {
    accepted({ 'ha-mode': 'exactly', 'ha-params': 2, 'ha-sync-mode': 'automatic' });
    accepted({ 'federation-upstream-set': 'all' });
    accepted({ 'target-group-size': 3 }, 'operator_policy');
  });

  test('with a value that is none is refused in the words of RabbitMQ', () => {
    const cases: [key: string, value: unknown, text: string][] = [
      ['message-ttl', -1, '-1 is not a valid message TTL'],
      ['message-ttl', 'abc', '<<"abc">> is not a valid message TTL'],
      ['message-ttl', 1.5, '1.5 is not a valid message TTL'],
      ['message-ttl', null, 'null is not a valid message TTL'],
      [
        'message-ttl',
        { b: [1, true], a: 'x' },
        '#{<<"a">> => <<"x">>,<<"b">> => [1,true]} is not a valid message TTL',
      ],
      ['expires', 0, '0 is not a valid queue expiry'],
      ['max-length', -1, '-1 is not a valid maximum length'],
      ['max-length-bytes', -1, '-1 is not a valid maximum length in bytes'],
      ['max-in-memory-length', -1, '-1 is not a valid maximum memory in bytes'],
      ['max-in-memory-bytes', -1, '-1 is not a valid maximum memory in bytes'],
      ['overflow', 'x', '<<"x">> is not a valid overflow value'],
      [
        'group-by',
        'property:age',
        '<<"property:age">> is not a valid group key: a header, header:NAME, property:NAME or ' +
          'routing-key',
      ],
      ['alternate-exchange', 5, '5 is not a valid alternate exchange name'],
      ['dead-letter-exchange', 5, '5 is not a valid dead letter exchange name'],
      ['dead-letter-routing-key', true, 'true is not a valid dead letter routing key'],
      ['dead-letter-strategy', 'x', '<<"x">> is not a valid dead letter strategy'],
      ['delivery-limit', -1, '-1 is not a valid delivery limit'],
      ['consumer-timeout', 'x', '<<"x">> is not a valid consumer timeout'],
      ['queue-mode', 'zzz', '<<"zzz">> is not a valid queue-mode value'],
      ['queue-version', 3, '3 is not a valid queue-version value'],
      ['queue-leader-locator', 'x', '<<"x">> is not a valid queue leader locator value'],
      ['initial-cluster-size', -1, '-1 is not a valid cluster size'],
      ['max-age', '7', '<<"7">> is not a valid max age'],
      ['max-age', '0s', '<<"0s">> is not a valid max age'],
      ['stream-max-segment-size-bytes', 3_000_000_001, '3000000001 is not a valid segment size'],
      ['stream-filter-size-bytes', 15, '15 is not a valid filter size. Valid range is 16-255'],
    ];
    for (const [key, value, text] of cases) refused({ definition: { [key]: value } }, text);
  });

  test('names the first bad value by key, and unknown keys only when the others are good', () => {
    const both = { 'max-length': -1, expires: 0, unknown: 1 };
    refused({ definition: both }, '0 is not a valid queue expiry');
    const unknown = { foo: 1, expires: 1, bar: 'x' };
    const text = '[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings';
    refused({ definition: unknown }, text);
    refused(
      { definition: { toString: 1 } },
      '[{<<"toString">>,1}] are not recognised policy settings',
    );
  });

  test('without a definition, or with one that is none, is refused', () => {
    refused({ definition: {} }, 'no policy provided');
    refused({ definition: [1] }, 'definition must be a dictionary: [1]');
    refused({ definition: 'x' }, 'definition must be a dictionary: <<"x">>');
    refused({ definition: undefined }, 'definition must be a dictionary: undefined');
  });

  test('with a pattern that is none is refused with what PCRE says, and where', () => {
    const prefix = 'pattern should be regular expression but is invalid: ';
    refused({ pattern: '(' }, `${prefix}{"missing )",1}`);
    refused({ pattern: '*a' }, `${prefix}{"nothing to repeat",0}`);
    refused({ pattern: 'a\\' }, `${prefix}{"\\\\ at end of pattern",2}`);
    refused({ pattern: 5 }, 'pattern should be a binary but was 5');
  });

  test('with another target or priority is refused', () => {
    const text =
      "apply-to 'zzz' unrecognised; should be one of: 'queues', 'classic_queues',  " +
      "'quorum_queues', 'streams', 'exchanges', or 'all'";
    refused({ applyTo: 'zzz' }, text);
    refused({ priority: 'x' }, 'priority should be a number, actually was <<"x">>');
  });

  test('of an operator sets limits, and nothing else', () => {
    const limits = { expires: 1, 'message-ttl': 1, 'max-length': 1, 'max-length-bytes': 1 };
    accepted({ ...limits, 'delivery-limit': 1, overflow: 'reject-publish' }, 'operator_policy');
    for (const [key, value] of [
      ['dead-letter-exchange', 'x'],
      ['alternate-exchange', 'x'],
      ['queue-mode', 'lazy'],
      ['consumer-timeout', 1],
    ] as const) {
      const printed = typeof value === 'string' ? `<<"${value}">>` : value;
      const text = `[{<<"${key}">>,${printed}}] are not recognised policy settings`;
      refused({ definition: { [key]: value } }, text, 'operator_policy');
    }
  });
});
