import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import { assertRefused } from '../refusal.test.support.js';
import { checkDelay, delayedProperties, delayOf } from './delay-headers.js';

const NOW = 1_700_000_000_000;
const TEN_YEARS = 315_360_000_000;

function table(headers: Readonly<Record<string, FieldValue>>): FieldTable {
  return new Map(Object.entries(headers));
}

function delay(value: FieldValue): number {
  const headers = table({ 'x-delay': value });
  checkDelay(headers, NOW);
  return delayOf(headers, NOW);
}

function refused(headers: Readonly<Record<string, FieldValue>>, text: string): void {
  assertRefused(() => checkDelay(table(headers), NOW), 'precondition-failed', text);
}

describe('x-delay', () => {
  test('is an integer of any width, a floating-point number, or digits', () => {
    const integers = ['b', 'B', 's', 'u', 'I', 'i', 'f', 'd'] as const;
    for (const type of integers) assert.equal(delay({ type, value: 100 }), 100, type);
    assert.equal(delay({ type: 'l', value: 4_294_967_296n }), 4_294_967_296);
    assert.equal(delay({ type: 'd', value: 99.9 }), 99);
    assert.equal(delay({ type: 'S', value: '250' }), 250);
    assert.equal(delay({ type: 'I', value: TEN_YEARS }), TEN_YEARS);
  });

  test('delays nothing if it is not there, empty, 0 or below', () => {
    assert.ok(delayOf(table({}), NOW) <= 0);
    assert.ok(delay({ type: 'V', value: null }) <= 0);
    assert.ok(delay({ type: 'I', value: 0 }) <= 0);
    assert.ok(delay({ type: 'I', value: -5_000 }) <= 0);
    assert.ok(delay({ type: 'S', value: '-1' }) <= 0);
  });

  test('that is no number is refused to a publisher, and passed over otherwise', () => {
    const cases: [FieldValue, printed: string][] = [
      [{ type: 'S', value: 'soon' }, '<<"soon">>'],
      [{ type: 'S', value: '' }, '<<>>'],
      [{ type: 'S', value: '1.5' }, '<<"1.5">>'],
      [{ type: 't', value: true }, 'true'],
      [{ type: 'd', value: Number.NaN }, 'NaN'],
      [{ type: 'T', value: 5n }, '5'],
      [{ type: 'A', value: [] }, '[]'],
    ];
    for (const [value, printed] of cases) {
      const text = `invalid header 'x-delay': ${printed} is no number of milliseconds`;
      refused({ 'x-delay': value }, text);
      assert.ok(delayOf(table({ 'x-delay': value }), NOW) <= 0);
    }
  });

  test('of more than ten years is refused to a publisher, and passed over otherwise', () => {
    const value: FieldValue = { type: 'l', value: BigInt(TEN_YEARS) + 1n };
    const text =
      "invalid header 'x-delay': 315360000001 is more than ten years away, 315360000000 ms";
    refused({ 'x-delay': value }, text);
    assert.equal(delayOf(table({ 'x-delay': value }), NOW), 0);
  });
});

describe('x-deliver-at', () => {
  test('is a timestamp in seconds, or a number of milliseconds since 1970', () => {
    for (const value of [
      { type: 'T', value: 1_700_000_060n },
      { type: 'l', value: 1_700_000_060_000n },
      { type: 'd', value: 1_700_000_060_000 },
      { type: 'S', value: '1700000060000' },
    ] as const) {
      const headers = table({ 'x-deliver-at': value });
      checkDelay(headers, NOW);
      assert.equal(delayOf(headers, NOW), 60_000, value.type);
    }
  });

  test('in the past delays nothing', () => {
    assert.ok(delayOf(table({ 'x-deliver-at': { type: 'T', value: 1_600_000_000n } }), NOW) < 0);
  });

  test('that is no time, or more than ten years away, is refused', () => {
    const far = { type: 'l', value: BigInt(NOW + TEN_YEARS) + 1n } as const;
    refused(
      { 'x-deliver-at': { type: 'S', value: 'noon' } },
      `invalid header 'x-deliver-at': <<"noon">> is no timestamp, and no milliseconds since 1970`,
    );
    refused(
      { 'x-deliver-at': far },
      `invalid header 'x-deliver-at': ${far.value} is more than ten years away, 315360000000 ms`,
    );
  });

  test('together with x-delay is refused, unless that says that the delay is over', () => {
    const later = { type: 'l', value: BigInt(NOW + 5) } as const;
    const text =
      "invalid header 'x-delay': 5 is one time, and 'x-deliver-at' is another: leave one out";
    refused({ 'x-delay': { type: 'I', value: 5 }, 'x-deliver-at': later }, text);
    const passedOn = table({ 'x-delay': { type: 'I', value: -5 }, 'x-deliver-at': later });
    checkDelay(passedOn, NOW);
    assert.equal(delayOf(passedOn, NOW), -5);
  });
});

test('a message that has been delayed says so in the negative', () => {
  const headers = table({
    'x-delay': { type: 'S', value: '250' },
    'x-deliver-at': { type: 'T', value: 1_700_000_060n },
    other: { type: 'I', value: 1 },
  });
  const delayed = delayedProperties({ headers, messageId: 'm' });
  assert.deepEqual(delayed, {
    messageId: 'm',
    headers: table({
      'x-delay': { type: 'I', value: -250 },
      'x-deliver-at': { type: 'I', value: -1_700_000_060 },
      other: { type: 'I', value: 1 },
    }),
  });
  assert.deepEqual(delayedProperties(delayed), delayed);
});
