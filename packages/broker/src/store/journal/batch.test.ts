import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batch } from './batch.js';

const MEBIBYTE = 1024 * 1024;

function roomOf(batch: Batch): number {
  return batch.bytes.buffer.byteLength;
}

/** A change of the topology of so many octets. */
function change(bytes: number): string {
  return 'x'.repeat(bytes);
}

test('room that a large batch has grown to is kept for the next one, until there is none', () => {
  const batch = new Batch();
  const small = roomOf(batch);
  batch.topology(change(6 * MEBIBYTE));
  const large = roomOf(batch);
  assert.ok(large > 6 * MEBIBYTE);
  batch.clear();
  batch.topology(change(5 * MEBIBYTE));
  assert.equal(roomOf(batch), large);
  batch.shrink();
  assert.equal(roomOf(batch), large, 'something is in it');
  assert.ok(batch.payload.includes(change(5 * MEBIBYTE)));
  batch.clear();
  batch.shrink();
  assert.equal(roomOf(batch), small);
});

test('what a batch usually takes is kept', () => {
  const batch = new Batch();
  batch.topology(change(MEBIBYTE));
  const room = roomOf(batch);
  batch.clear();
  batch.shrink();
  assert.equal(roomOf(batch), room);
});
