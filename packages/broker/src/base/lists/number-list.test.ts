import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NumberList } from './number-list.js';

test('it behaves as an array does, however often it is emptied', () => {
  const round = fc.array(fc.double({ noNaN: true }), { maxLength: 300 });
  fc.assert(
    fc.property(fc.array(round, { maxLength: 5 }), (rounds) => {
      const list = new NumberList();
      for (const numbers of rounds) {
        for (const number of numbers) list.push(number);
        assert.equal(list.length, numbers.length);
        numbers.forEach((number, at) => assert.equal(list.at(at), number));
        list.clear();
        assert.equal(list.length, 0);
      }
    }),
  );
});

test('it grows beyond what it keeps', () => {
  const list = new NumberList();
  for (let number = 0; number < 200_000; number++) list.push(number);
  assert.equal(list.at(199_999), 199_999);
  list.clear();
  list.push(7);
  assert.deepEqual([list.length, list.at(0)], [1, 7]);
});
