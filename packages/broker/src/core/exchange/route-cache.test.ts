import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Receiver } from '../ports.js';
import { RouteCache, RouteMemory } from './route-cache.js';

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

/** Looks a key up as routing does; whether it was known. */
function use(cache: RouteCache, key: string): boolean {
  const isKnown = cache.get(key, 0) !== undefined;
  if (!isKnown) cache.set(key, 0, []);
  return isKnown;
}

/** How many of some keys, used in turn over and over, are known in the last of `rounds`. */
function knownInTheEnd(cache: RouteCache, keys: number, rounds: number): number {
  let known = 0;
  for (let round = 0; round < rounds; round++) {
    known = 0;
    for (let i = 0; i < keys; i++) if (use(cache, `key ${i}`)) known++;
  }
  return known;
}

test('keys that come again are remembered, as many as there is room for', () => {
  assert.equal(knownInTheEnd(new RouteCache(), 4_000, 2), 4_000);
});

test('no more keys are remembered than there is room for', () => {
  const cache = new RouteCache();
  for (let i = 0; i < 100_000; i++) cache.set(`key ${i}`, 0, []);
  let known = 0;
  for (let i = 0; i < 100_000; i++) if (cache.get(`key ${i}`, 0) !== undefined) known++;
  assert.ok(known <= 10_000, `${known} keys`);
});

test('keys that do not come again are not, and others are when those are over', () => {
  const cache = new RouteCache();
  for (let i = 0; i < 100_000; i++) assert.equal(use(cache, `once ${i}`), false);
  assert.equal(knownInTheEnd(cache, 1_000, 100), 1_000);
});

test('caches that share memory are emptied when it is used up, each of them', () => {
  const memory = new RouteMemory(10_000);
  const caches = [new RouteCache(memory), new RouteCache(memory)] as const;
  caches[0].set('early', 0, []);
  for (let i = 0; i < 30; i++) caches[1].set(`key ${i}`, 0, []);
  assert.deepEqual(caches[0].get('early', 0), []);
  caches[1].set('wide', 0, new Array<Receiver>(1_000));
  for (const cache of caches)
    assert.equal(cache.get('early', 0) ?? cache.get('wide', 0), undefined);
  // What was given back can be used again.
  for (let i = 0; i < 30; i++) caches[0].set(`key ${i}`, 0, []);
  assert.deepEqual(caches[0].get('key 0', 0), []);
});
