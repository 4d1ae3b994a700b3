import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RandomRouter } from './random.js';
import { bindTo, reached, repeating, someDestination } from './routing-fixture.test.support.js';

describe('x-random', () => {
  test('chooses one of the bindings by lot, whatever the keys', () => {
    const router = new RandomRouter(repeating([0, 4, 2, 2 ** 32 - 1]));
    for (const name of ['a', 'b', 'c']) bindTo(router, someDestination(name), `key of ${name}`);
    const places = [1, 2, 3, 4].map(() => reached(router, 'any').join());
    assert.deepEqual(places, ['a', 'b', 'c', 'a']);
  });

  test('a queue bound twice has two lots', () => {
    const router = new RandomRouter(repeating([0, 1, 2]));
    const queue = someDestination('a');
    bindTo(router, queue, '1');
    const second = bindTo(router, queue, '2');
    bindTo(router, someDestination('b'), '3');
    assert.deepEqual([reached(router, ''), reached(router, ''), reached(router, '')].flat(), [
      'a',
      'a',
      'b',
    ]);
    router.remove(second);
    assert.deepEqual([reached(router, ''), reached(router, '')].flat(), ['a', 'b']);
  });

  test('asks for no randomness when there is nothing to choose', () => {
    const router = new RandomRouter({
      bytes: () => {
        throw new Error('not needed');
      },
    });
    assert.deepEqual(reached(router, 'k'), []);
    bindTo(router, someDestination('a'));
    assert.deepEqual(reached(router, 'k'), ['a']);
  });
});
