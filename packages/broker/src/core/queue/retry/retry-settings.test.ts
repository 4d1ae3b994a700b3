import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldValue } from '@leveret/amqp';
import { tableOf } from '../../plain-table.test.support.js';
import { checkPolicy } from '../../policy/policy-check.js';
import { assertRefused } from '../../refusal.test.support.js';
import { checkQueueArguments } from '../arguments.js';
import { effectiveRetrySettings } from './retry-settings.js';

function settings(
  args: Parameters<typeof tableOf>[0],
  policy: Record<string, unknown> = {},
  operator: Record<string, unknown> = {},
): ReturnType<typeof effectiveRetrySettings> {
  return effectiveRetrySettings(tableOf(args), policy, operator);
}

describe('retries as RabbitMQ has them', () => {
  test('are put together as there', () => {
    const args = { 'x-delayed-retry-type': 'failed', 'x-delayed-retry-min': 500 };
    const policy = {
      'delayed-retry-type': 'returned',
      'delayed-retry-min': 300,
      'delayed-retry-max': 900,
    };
    const operator = { 'delayed-retry-min': 400, 'delayed-retry-max': 1_000 };
    const found = settings(args, policy, operator);
    assert.deepEqual(found?.on, ['returned']);
    assert.equal(found?.baseMilliseconds, 400);
    assert.equal(found?.maxMilliseconds, 900);
    assert.equal(settings(args, policy, { 'delayed-retry-type': 'disabled' }), undefined);
    assert.equal(settings({ 'x-delayed-retry-type': 'all' }), undefined);
    assert.equal(settings({ 'x-delayed-retry-min': 5 }), undefined);
  });

  test('give way to x-retry-delay', () => {
    const policy = { 'delayed-retry-type': 'all', 'delayed-retry-min': 5 };
    const found = settings({ 'x-retry-delay': 7, 'x-retry-max-count': 9 }, policy, {
      'retry-max-count': 3,
      'retry-max-delay': 70,
    });
    assert.deepEqual(found, {
      on: ['returned', 'failed', 'rejected'],
      kind: 'exponential',
      baseMilliseconds: 7,
      maxMilliseconds: 70,
      multiplier: 2,
      jitter: 0,
      maxCount: 3,
    });
  });
});

test('a policy is refused in RabbitMQ’s words', () => {
  const cases: [Record<string, unknown>, text: string][] = [
    [
      { 'delayed-retry-type': 'some' },
      '<<"some">> is not a valid delayed retry type. Must be one of: all, failed, returned, disabled',
    ],
    [
      { 'delayed-retry-type': 'all', 'delayed-retry-min': 0 },
      '0 is not a valid delayed retry minimum delay. Must be a positive integer',
    ],
    [
      { 'delayed-retry-max': -1 },
      '-1 is not a valid delayed retry maximum delay. Must be a positive integer',
    ],
    [
      { 'delayed-retry-type': 'failed' },
      'delayed-retry-min is required when delayed-retry-type is failed',
    ],
    [
      { 'delayed-retry-min': 10, 'delayed-retry-max': 9 },
      'delayed-retry-max (9) must not be smaller than delayed-retry-min (10)',
    ],
    [{ 'retry-jitter': 2 }, '2 is not a valid retry jitter. Must be a number from 0 to 1'],
    [{ 'retry-delay': 0 }, '0 is not a valid retry delay'],
    [
      { 'delayed-retry-type': 'all', 'delayed-retry-min': 1, 'retry-delay': 1 },
      'delayed-retry-type and retry-delay ask for two delays: leave one of them out',
    ],
  ];
  for (const [definition, text] of cases) {
    const check = (): unknown => checkPolicy('policy', { name: 'p', pattern: '', definition });
    assertRefused(check, 'precondition-failed', text);
  }
  const definition = { 'delayed-retry-type': 'disabled', 'delayed-retry-max': 9 };
  checkPolicy('operator_policy', { name: 'p', pattern: '', definition });
});

test('arguments that make no sense are refused', () => {
  const cases: [Record<string, FieldValue>, key: string, problem: string][] = [
    [
      { 'x-delayed-retry-type': { type: 'S', value: 'some' } },
      'x-delayed-retry-type',
      'invalid_delayed_retry_type',
    ],
    [{ 'x-delayed-retry-min': { type: 'I', value: 0 } }, 'x-delayed-retry-min', '{value_zero,0}'],
    [
      { 'x-delayed-retry-max': { type: 'S', value: '5' } },
      'x-delayed-retry-max',
      '"expected integer, got longstr"',
    ],
    [{ 'x-retry-delay': { type: 'I', value: 0 } }, 'x-retry-delay', '{value_zero,0}'],
    [
      { 'x-retry-max-count': { type: 'I', value: 3 } },
      'x-retry-max-count',
      `"'x-retry-delay' is missing"`,
    ],
    [
      { 'x-retry-delay': { type: 'I', value: 5 }, 'x-retry-jitter': { type: 'd', value: 1.5 } },
      'x-retry-jitter',
      '"expected a number, 0 to 1, got 1.5"',
    ],
    [
      {
        'x-retry-delay': { type: 'I', value: 5 },
        'x-delayed-retry-type': { type: 'S', value: 'all' },
      },
      'x-retry-delay',
      `"'x-delayed-retry-type' asks for delays, too: leave one of them out"`,
    ],
  ];
  for (const [args, key, problem] of cases) {
    assertRefused(
      () => checkQueueArguments('q', '/', new Map(Object.entries(args))),
      'precondition-failed',
      `invalid arg '${key}' for queue 'q' in vhost '/': ${problem}`,
    );
  }
});
