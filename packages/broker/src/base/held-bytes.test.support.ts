import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What keeps a value from being collected until it has been measured. */
let held: unknown;

/** Octets the heap has grown by when `action` is done, with what it returns still held. */
export function heldBytes(action: () => unknown): number {
  setFlagsFromString('--expose-gc');
  // Only so is the collector at hand without a flag for the whole run.
  const collect = runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  held = action();
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  held = undefined;
  return held === undefined ? bytes : 0;
}
