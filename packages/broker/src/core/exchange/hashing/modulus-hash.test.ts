import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bindTo, reached, someDestination } from '../routing-fixture.test.support.js';
import { ModulusHashRouter } from './modulus-hash.js';

const KEYS = Array.from({ length: 3_000 }, (_, i) => `key ${i}`);

describe('x-modulus-hash', () => {
  test('spreads routing keys evenly, each always to the same binding', () => {
    const router = new ModulusHashRouter();
    for (const name of ['a', 'b', 'c']) bindTo(router, someDestination(name));
    const places = KEYS.map((key) => reached(router, key).join());
    assert.deepEqual(
      KEYS.map((key) => reached(router, key).join()),
      places,
    );
    for (const name of ['a', 'b', 'c']) {
      const share = places.filter((place) => place === name).length / KEYS.length;
      assert.ok(Math.abs(share - 1 / 3) < 0.05, `${name} has ${share} of the keys`);
    }
  });

  test('does not depend on what was bound first', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(someDestination);
    const one = new ModulusHashRouter();
    for (const queue of [a!, b!, c!]) bindTo(one, queue);
    const other = new ModulusHashRouter();
    for (const queue of [b!, c!, a!]) bindTo(other, queue);
    for (const key of KEYS) assert.deepEqual(reached(one, key), reached(other, key));
  });

  test('sends a message with several routing keys one way', () => {
    const router = new ModulusHashRouter();
    for (const name of ['a', 'b', 'c']) bindTo(router, someDestination(name));
    for (const key of KEYS) assert.equal(reached(router, key, {}, ['x', 'y']).length, 1);
  });

  test('routes among what is left, and nowhere when nothing is', () => {
    const router = new ModulusHashRouter();
    const a = bindTo(router, someDestination('a'));
    const b = bindTo(router, someDestination('b'));
    router.remove(a);
    assert.deepEqual(reached(router, 'k'), ['b']);
    router.remove(b);
    assert.deepEqual(reached(router, 'k'), []);
  });
});
