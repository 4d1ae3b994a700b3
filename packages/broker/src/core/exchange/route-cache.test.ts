import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteCache } from './route-cache.js';

test('what was found is remembered until the topology changes', () => {
  const cache = new RouteCache();
  const nowhere: [] = [];
  assert.equal(cache.get('k', 0), undefined);
  cache.set('k', 0, nowhere);
  assert.equal(cache.get('k', 0), nowhere);
  assert.equal(cache.get('l', 0), undefined);
  assert.equal(cache.get('k', 1), undefined);
  cache.set('l', 1, nowhere);
  assert.equal(cache.get('k', 1), undefined, 'what was found before is forgotten');
  assert.equal(cache.get('l', 1), nowhere);
});

test('only so many keys are remembered', () => {
  const cache = new RouteCache();
  for (let i = 0; i < 100_000; i++) cache.set(`key ${i}`, 0, []);
  let known = 0;
  for (let i = 0; i < 100_000; i++) if (cache.get(`key ${i}`, 0) !== undefined) known++;
  assert.ok(known > 0 && known <= 10_000, `${known} keys`);
});
