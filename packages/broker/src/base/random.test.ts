import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, systemRandom, uniqueName } from './random.js';

test('a unique name has the form RabbitMQ gives it', () => {
  assert.match(uniqueName(systemRandom, 'amq.gen'), /^amq\.gen-[A-Za-z0-9_-]{22}$/);
});

test('it is made of 16 octets, and of nothing else', () => {
  const asked: number[] = [];
  const random: Random = {
    bytes: (bytes) => {
      asked.push(bytes);
      return Buffer.alloc(bytes, 0xfb);
    },
  };
  assert.equal(uniqueName(random, 'p'), `p-${Buffer.alloc(16, 0xfb).toString('base64url')}`);
  assert.deepEqual(asked, [16]);
});

test('names do not come twice', () => {
  const names = new Set(Array.from({ length: 1_000 }, () => uniqueName(systemRandom, 'amq.gen')));
  assert.equal(names.size, 1_000);
});
