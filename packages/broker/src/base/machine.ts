import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import { getHeapStatistics } from 'node:v8';

/** What there is to run in. */
export interface Machine {
  /** Memory this process may use, in octets: a container's limit, or the machine's size. */
  memoryBytes(): number;
  /** How large Node.js lets its heap of objects grow, in octets. */
  heapBytes(): number;
}

/** The machine this runs on. */
export const systemMachine: Machine = {
  memoryBytes: () => {
    const limit = constrainedMemory() ?? 0;
    return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  },
  heapBytes: () => getHeapStatistics().heap_size_limit,
};
