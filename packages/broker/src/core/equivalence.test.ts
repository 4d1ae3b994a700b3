import { test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import { requireSame, requireSameArguments } from './equivalence.js';
import { assertRefused } from './refusal.test.support.js';

const THING = "queue 'q' in vhost '/'";

function table(value: FieldValue | undefined, key = 'x-max-length'): FieldTable {
  return value === undefined ? new Map() : new Map([[key, value]]);
}

function same(asked: FieldValue | undefined, current: FieldValue | undefined, key?: string): void {
  const keys = [key ?? 'x-max-length'];
  requireSameArguments(THING, keys, table(asked, key), table(current, key));
}

function assertDiffers(
  asked: FieldValue | undefined,
  current: FieldValue | undefined,
  text: string,
  key = 'x-max-length',
): void {
  assertRefused(
    () => same(asked, current, key),
    'precondition-failed',
    `inequivalent arg '${key}' for ${THING}: ${text}`,
  );
}

test('a property must be the same', () => {
  requireSame(THING, 'durable', true, true);
  requireSame(THING, 'type', 'topic', 'topic');
  assertRefused(
    () => requireSame(THING, 'durable', true, false),
    'precondition-failed',
    `inequivalent arg 'durable' for ${THING}: received 'true' but current is 'false'`,
  );
});

test('numbers are the same by value, whatever their width', () => {
  const fives: FieldValue[] = [
    { type: 'b', value: 5 },
    { type: 'B', value: 5 },
    { type: 's', value: 5 },
    { type: 'I', value: 5 },
    { type: 'l', value: 5n },
    { type: 'T', value: 5n },
  ];
  for (const asked of fives) for (const current of fives) same(asked, current);
  same({ type: 'f', value: 0.5 }, { type: 'd', value: 0.5 });
  same({ type: 'S', value: 'a' }, { type: 'x', value: Buffer.from('a') });
  same(undefined, undefined);
});

test('other values are told apart, in RabbitMQ’s words', () => {
  const five: FieldValue = { type: 'b', value: 5 };
  assertDiffers({ type: 'I', value: 6 }, five, "received '6' but current is '5'");
  assertDiffers({ type: 'd', value: 5 }, five, "received '5.0' but current is '5'");
  assertDiffers({ type: 'S', value: '5' }, five, "received '5' but current is '5'");
  assertDiffers(undefined, five, "received none but current is the value '5' of type 'byte'");
  assertDiffers(
    { type: 'S', value: 'x' },
    undefined,
    "received the value 'x' of type 'longstr' but current is none",
  );
  assertDiffers(
    { type: 'x', value: Buffer.from('x') },
    undefined,
    "received the value 'x' of type 'binary' but current is none",
  );
});

test('only the arguments named are compared', () => {
  requireSameArguments(THING, ['x-expires'], table({ type: 'I', value: 1 }), table(undefined));
  requireSameArguments(THING, [], table({ type: 'I', value: 1 }), table({ type: 'I', value: 2 }));
});

test('a classic queue may or may not say that it is one; another type must say so', () => {
  const key = 'x-queue-type';
  const classic: FieldValue = { type: 'S', value: 'classic' };
  const quorum: FieldValue = { type: 'S', value: 'quorum' };
  same(classic, undefined, key);
  same(undefined, classic, key);
  assertDiffers(classic, quorum, "received 'classic' but current is 'quorum'", key);
  assertDiffers(
    undefined,
    quorum,
    "received none but current is the value 'quorum' of type 'longstr'",
    key,
  );
});
