import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyBytes } from './copy-bytes.js';

test('copies exactly the range, whatever its length', () => {
  const source = Buffer.from(Array.from({ length: 200 }, (_, i) => i + 1));
  for (let length = 0; length <= 100; length++) {
    const target = Buffer.alloc(150, 0xff);
    copyBytes(source, 7, 7 + length, target, 11);
    assert.ok(target.subarray(0, 11).equals(Buffer.alloc(11, 0xff)));
    assert.ok(target.subarray(11, 11 + length).equals(source.subarray(7, 7 + length)));
    assert.ok(target.subarray(11 + length).equals(Buffer.alloc(139 - length, 0xff)));
  }
});
