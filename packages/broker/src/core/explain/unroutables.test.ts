import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageFor, TestMessage } from '../message.test.support.js';
import { tableOf } from '../plain-table.test.support.js';
import { Unroutables } from './unroutables.js';

test('the latest are remembered, the same ones once', () => {
  let now = 0;
  const unroutables = new Unroutables(() => ++now);
  for (const key of ['a', 'b', 'a', 'c']) unroutables.note(messageFor(key));
  const seen = unroutables
    .list()
    .map(({ routingKey, count, lastAt }) => [routingKey, count, lastAt]);
  assert.deepEqual(seen, [
    ['c', 1, 4],
    ['a', 2, 3],
    ['b', 1, 2],
  ]);
  for (let i = 0; i < 98; i++) unroutables.note(messageFor(`more ${i}`));
  const keys = unroutables.list().map(({ routingKey }) => routingKey);
  assert.equal(keys.length, 100);
  assert.deepEqual(keys.slice(-2), ['a', 'c'].reverse());
});

test('headers are remembered, unless they are large', () => {
  const unroutables = new Unroutables(() => 0);
  const small = new TestMessage('m', tableOf({ format: 'pdf' }));
  small.routingKey = 'small';
  unroutables.note(small);
  const large = new TestMessage('m', tableOf({ format: 'pdf' }));
  large.routingKey = 'large';
  Object.defineProperty(large, 'storedBytes', { value: 100_000 });
  unroutables.note(large);
  const [second, first] = unroutables.list();
  assert.deepEqual(first?.headers, small.table);
  assert.equal(second?.headers, undefined);
});
