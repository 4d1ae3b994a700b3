import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../base/manual-clock.test.support.js';
import { FailedLogins } from './failed-logins.js';

test('twenty logins may fail from an address, and then one a second', () => {
  const clock = new ManualClock();
  const failed = new FailedLogins(clock);
  for (let i = 0; i < 20; i++) {
    assert.equal(failed.isTooMany('a'), false, `${i}`);
    failed.failed('a');
  }
  assert.equal(failed.isTooMany('a'), true);
  assert.equal(failed.isTooMany('b'), false);
  clock.advance(1_000);
  assert.equal(failed.isTooMany('a'), false);
  failed.failed('a');
  assert.equal(failed.isTooMany('a'), true);
  clock.advance(20_000);
  for (let i = 0; i < 20; i++) {
    assert.equal(failed.isTooMany('a'), false, `${i} again`);
    failed.failed('a');
  }
});

test('of ten thousand addresses more, the first is forgotten', () => {
  const failed = new FailedLogins(new ManualClock());
  for (let i = 0; i < 20; i++) failed.failed('first');
  for (let i = 0; i < 9_999; i++) failed.failed(`${i}`);
  assert.equal(failed.isTooMany('first'), true);
  failed.failed('one more');
  assert.equal(failed.isTooMany('first'), false);
});
