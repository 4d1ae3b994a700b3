import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestOnly } from './guest-only.js';

test('guest is let in, from this machine only; nobody else is', () => {
  const users = new GuestOnly();
  assert.deepEqual(users.login('guest', 'guest', true), { name: 'guest' });
  assert.equal(users.login('guest', 'guest', false), 'only from loopback');
  for (const [user, password] of [
    ['guest', 'Guest'],
    ['guest', ''],
    ['guest', 'guest2'],
    ['', ''],
    ['admin', 'guest'],
  ] as const) {
    assert.equal(users.login(user, password, true), 'invalid credentials');
  }
});
