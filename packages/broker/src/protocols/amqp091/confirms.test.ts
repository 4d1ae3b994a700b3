import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Confirms } from './confirms.js';

/** Publishes so many, of which those numbered are refused, and tells what is answered. */
function answers(count: number, refused: readonly number[], durable = 0): unknown[] {
  const confirms = new Confirms();
  confirms.isEnabled = true;
  for (let number = 1; number <= count; number++) {
    confirms.published();
    if (refused.includes(number)) confirms.refused();
  }
  confirms.waitFor(durable);
  return told(confirms, durable);
}

function told(confirms: Confirms, durable: number): unknown[] {
  return confirms
    .take(durable)
    .map(({ method, deliveryTag, multiple }) => [method, deliveryTag, multiple]);
}

test('one acknowledgement for all, and none for nothing', () => {
  assert.deepEqual(answers(0, []), []);
  assert.deepEqual(answers(1, []), [['basic.ack', 1, false]]);
  assert.deepEqual(answers(5, []), [['basic.ack', 5, true]]);
});

test('what is refused is answered by itself, in its place', () => {
  assert.deepEqual(answers(5, [3]), [
    ['basic.ack', 2, true],
    ['basic.nack', 3, false],
    ['basic.ack', 5, true],
  ]);
  assert.deepEqual(answers(3, [1, 3]), [
    ['basic.nack', 1, false],
    ['basic.ack', 2, false],
    ['basic.nack', 3, false],
  ]);
  assert.deepEqual(answers(2, [1, 2]), [
    ['basic.nack', 1, false],
    ['basic.nack', 2, false],
  ]);
});

test('a refusal waits for nothing; acknowledgements follow when the disk has got so far', () => {
  const confirms = new Confirms();
  confirms.isEnabled = true;
  for (let number = 1; number <= 4; number++) {
    confirms.published();
    if (number % 2 === 0) confirms.refused();
    confirms.waitFor(number);
  }
  assert.deepEqual(told(confirms, 0), [
    ['basic.nack', 2, false],
    ['basic.nack', 4, false],
  ]);
  assert.deepEqual(told(confirms, 1), [['basic.ack', 1, false]]);
  assert.deepEqual(told(confirms, 4), [['basic.ack', 3, false]]);
  assert.deepEqual(told(confirms, 4), []);
});
