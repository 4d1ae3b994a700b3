import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkedList } from './linked-list.js';

test('values stay in the order in which they came, whichever are taken out', () => {
  const list = new LinkedList<string>();
  const places = ['a', 'b', 'c', 'd'].map((value) => list.add(value));
  list.delete(places[1]!);
  assert.deepEqual(list.values(), ['a', 'c', 'd']);
  list.delete(places[0]!);
  assert.equal(list.first?.value, 'c');
  list.delete(places[3]!);
  list.add('e');
  assert.deepEqual(list.values(), ['c', 'e']);
  assert.equal(list.size, 2);
});

test('a value that is out is not taken out again', () => {
  const list = new LinkedList<string>();
  const place = list.add('a');
  list.delete(place);
  list.delete(place);
  assert.equal(list.size, 0);
  assert.equal(list.first, undefined);
  list.add('b');
  list.delete(place);
  assert.deepEqual(list.values(), ['b']);
});

test('what is out holds on to nothing', () => {
  const list = new LinkedList<string>();
  const [first, second] = [list.add('a'), list.add('b')];
  list.delete(first);
  assert.equal(first.value, undefined);
  assert.equal(first.before, first);
  assert.equal(first.behind, first);
  assert.deepEqual(list.values(), [second.value]);
});
