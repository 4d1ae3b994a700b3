import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FAULTS, SequenceCheck } from './sequence-check.js';

/** What is found wrong with an arrival of messages, of which `published` were sent. */
function faultsOf(numbers: readonly number[], published: number) {
  const check = new SequenceCheck(7);
  for (const number of numbers) check.take(7, number);
  return check.faults(published);
}

test('nothing is wrong with messages that arrive once each, in order', () => {
  assert.deepEqual(faultsOf([0, 1, 2, 3], 4), NO_FAULTS);
  assert.deepEqual(faultsOf([], 0), NO_FAULTS);
});

test('a message that does not arrive is lost, wherever it was', () => {
  assert.deepEqual(faultsOf([1, 2, 3], 4), { ...NO_FAULTS, lost: 1 });
  assert.deepEqual(faultsOf([0, 3], 4), { ...NO_FAULTS, lost: 2 });
  assert.deepEqual(faultsOf([0, 1, 2], 4), { ...NO_FAULTS, lost: 1 });
  assert.deepEqual(faultsOf([], 4), { ...NO_FAULTS, lost: 4 });
});

test('a message that arrives again is a duplicate', () => {
  assert.deepEqual(faultsOf([0, 1, 1, 2], 3), { ...NO_FAULTS, duplicated: 1 });
  assert.deepEqual(faultsOf([0, 1, 2, 0, 1], 3), { ...NO_FAULTS, duplicated: 2 });
});

test('a message that arrives behind a later one is out of order, and not lost', () => {
  assert.deepEqual(faultsOf([1, 0, 2], 3), { ...NO_FAULTS, disordered: 1 });
  assert.deepEqual(faultsOf([2, 0, 1, 1], 3), { ...NO_FAULTS, disordered: 2, duplicated: 1 });
});

test('a message of another stream is misrouted, and one of the own is missing', () => {
  const check = new SequenceCheck(7);
  check.take(7, 0);
  check.take(8, 1);
  assert.deepEqual(check.faults(2), { ...NO_FAULTS, misrouted: 1, lost: 1 });
});
