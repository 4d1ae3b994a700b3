import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Octets the heap has grown by when `action` is done, with what it returns still held. */
export function heldBytes(action: () => object): number {
  setFlagsFromString('--expose-gc');
  // Only so is the collector at hand without a flag for the whole run.
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const held = action();
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  assert.ok(held, 'used once more: it was alive until now');
  return bytes;
}
