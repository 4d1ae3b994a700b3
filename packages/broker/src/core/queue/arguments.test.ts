import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import { assertRefused } from '../refusal.test.support.js';
import { checkConsumerArguments, checkQueueArguments, integerArgument } from './arguments.js';

const text = (value: string): FieldValue => ({ type: 'S', value });
const int = (value: number): FieldValue => ({ type: 'I', value });
const long = (value: bigint): FieldValue => ({ type: 'l', value });
const yes: FieldValue = { type: 't', value: true };

function args(...entries: [string, FieldValue][]): FieldTable {
  return new Map(entries);
}

test('arguments that are all right', () => {
  for (const table of [
    args(),
    args(['x-message-ttl', int(0)], ['x-expires', int(1)], ['x-max-length', int(0)]),
    args(['x-message-ttl', long(315_360_000_000n)]),
    args(['x-max-priority', int(255)], ['x-max-length-bytes', long(2n ** 40n)]),
    args(['x-dead-letter-exchange', text('')], ['x-dead-letter-routing-key', text('k')]),
    args(['x-overflow', text('reject-publish')]),
    args(['x-overflow', text('reject-publish-dlx')]),
    args(['x-queue-mode', text('lazy')], ['x-queue-type', text('quorum')]),
    args(['x-single-active-consumer', yes]),
    args(['x-group-by', text('property:message-id')], ['x-max-priority', int(0)]),
    args(['x-nobody-knows', yes], ['x-priority', text('not for queues')]),
  ]) {
    checkQueueArguments('q', '/', table);
  }
});

test('arguments that are not, in RabbitMQ’s words', () => {
  const cases: [string, FieldValue, string][] = [
    ['x-message-ttl', text('60000'), '"expected integer, got longstr"'],
    ['x-message-ttl', int(-1), '{value_negative,-1}'],
    ['x-message-ttl', long(315_360_000_001n), '{value_too_large,315360000001}'],
    ['x-message-ttl', { type: 'd', value: 1 }, '"expected integer, got double"'],
    ['x-message-ttl', { type: 'T', value: 1n }, '"expected integer, got timestamp"'],
    ['x-expires', int(0), '{value_zero,0}'],
    ['x-expires', int(-5), '{value_negative,-5}'],
    ['x-expires', yes, '"expected integer, got bool"'],
    ['x-max-length', int(-1), '{value_negative,-1}'],
    ['x-max-length', { type: 'V', value: null }, '"expected integer, got void"'],
    ['x-max-priority', int(256), '{max_value_exceeded,256}'],
    ['x-max-priority', int(-1), '{value_negative,-1}'],
    ['x-max-priority', text('9'), '"expected integer, got longstr"'],
    ['x-dead-letter-routing-key', text('k'), 'routing_key_but_no_dlx_defined'],
    ['x-dead-letter-routing-key', int(1), '{unacceptable_type,signedint}'],
    ['x-overflow', text('zzz'), 'invalid_overflow'],
    ['x-overflow', int(1), '{unacceptable_type,signedint}'],
    ['x-queue-mode', text('zzz'), '"unsupported queue mode \'zzz\'"'],
    ['x-queue-type', text('zzz'), '"unsupported queue type \'zzz\'"'],
    ['x-single-active-consumer', int(1), '{unacceptable_type,signedint}'],
    ['x-dead-letter-strategy', text('zzz'), 'invalid_dlx_strategy'],
    ['x-quorum-initial-group-size', int(0), '{value_zero,0}'],
    ['x-group-by', int(1), '{unacceptable_type,signedint}'],
    ['x-queue-leader-locator', text('zzz'), 'invalid_queue_locator_arg'],
  ];
  for (const [key, value, problem] of cases) {
    assertRefused(
      () => checkQueueArguments('q', 'v', args([key, value])),
      'precondition-failed',
      `invalid arg '${key}' for queue 'q' in vhost 'v': ${problem}`,
    );
  }
});

test('a group that is none, and one whose messages would overtake one another', () => {
  assertRefused(
    () => checkQueueArguments('q', '/', args(['x-group-by', text('property:age')])),
    'precondition-failed',
    "invalid arg 'x-group-by' for queue 'q' in vhost '/': \"'property:age' is neither a header's " +
      'name, nor header:NAME, property:NAME or routing-key"',
  );
  const both = args(['x-group-by', text('customer')], ['x-max-priority', int(3)]);
  assertRefused(
    () => checkQueueArguments('q', '/', both),
    'precondition-failed',
    "invalid arg 'x-group-by' for queue 'q' in vhost '/': \"x-max-priority lets messages overtake " +
      'others of their group; use the one or the other"',
  );
});

test('what only a stream may have', () => {
  assertRefused(
    () => checkQueueArguments('q', '/', args(['x-max-age', text('1h')])),
    'precondition-failed',
    "invalid arg 'x-max-age' for queue 'q' in vhost '/' of queue type rabbit_classic_queue",
  );
});

test('the arguments of a consumer', () => {
  checkConsumerArguments('q', '/', args(['x-priority', int(-10)], ['other', yes]));
  checkConsumerArguments('q', '/', args(['x-priority', long(10n)]));
  assertRefused(
    () => checkConsumerArguments('q', '/', args(['x-priority', text('1')])),
    'precondition-failed',
    `invalid arg 'x-priority' for queue 'q' in vhost '/': "expected integer, got longstr"`,
  );
});

test('an integer of any width is a number', () => {
  const widths: FieldValue[] = [
    { type: 'b', value: 7 },
    { type: 'B', value: 7 },
    { type: 's', value: 7 },
    { type: 'u', value: 7 },
    { type: 'I', value: 7 },
    { type: 'i', value: 7 },
    { type: 'l', value: 7n },
  ];
  for (const value of widths) assert.equal(integerArgument(args(['n', value]), 'n'), 7);
  assert.equal(integerArgument(args(['n', text('7')]), 'n'), undefined);
  assert.equal(integerArgument(args(), 'n'), undefined);
});
