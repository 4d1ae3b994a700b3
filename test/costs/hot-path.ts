/**
 * Runs messages through a broker in this process, over streams that cost nothing, and prints what
 * that took, as JSON:
 *
 *     node --expose-gc --max-semi-space-size=256 --min-semi-space-size=256 \
 *       test/dist/costs/hot-path.js WORKLOAD [promises]
 *
 * With `promises` they are counted, which costs memory, so that memory says nothing then.
 */
import { createHook } from 'node:async_hooks';
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Broker, type Clock } from '@leveret/broker';
import { CountingFiles } from './counting-files.js';
import { WORKLOADS, type Work } from './workloads.js';

/** What so many messages took. */
export interface Cost {
  readonly messages: number;
  /** Chunks of publishes that came, each with all of its acknowledgements in the next. */
  readonly chunks: number;
  /** Octets allocated on the JavaScript heap; null if it was collected meanwhile. */
  readonly heapBytes: number | null;
  readonly promises: number;
  readonly durableWrites: number;
  readonly syncs: number;
  readonly confirms: number;
}

const WARM_UP_CHUNKS = 300;
const MEASURED_CHUNKS = 100;

const [name = '', what] = process.argv.slice(2);
const workload = WORKLOADS[name];
if (workload === undefined) throw new Error(`WORKLOAD: ${Object.keys(WORKLOADS).join(', ')}`);

let promises = 0;
const hook = createHook({
  init: (_id, type) => {
    if (type === 'PROMISE') promises++;
  },
});

let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });

/** Time stands still: on a machine that is busy peers would have to wait for their turns. */
const clock: Clock = {
  now: () => 0,
  wallTime: () => Date.now(),
  after: (milliseconds, action) => {
    const timeout = setTimeout(action, milliseconds).unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};

const files = new CountingFiles();
const storage = { directory: '/nowhere', files };
const broker = workload.durable ? await Broker.open({ clock, storage }) : new Broker({ clock });
const work = workload.begin(broker);
await new Promise<void>((resolve) => repeat(work, WARM_UP_CHUNKS, resolve));
const collectionsBefore = collections;
gc!();
// The observer is told of it later.
while (collections === collectionsBefore) await new Promise(setImmediate);

const before = counts();
if (what === 'promises') hook.enable();
repeat(work, MEASURED_CHUNKS, () => {
  hook.disable();
  const after = counts();
  // The observer is told later.
  setImmediate(() => {
    const cost: Cost = {
      messages: MEASURED_CHUNKS * work.messagesAChunk,
      chunks: MEASURED_CHUNKS,
      heapBytes: collections > before.collections ? null : after.heap - before.heap,
      promises: after.promises - before.promises,
      durableWrites: after.durableWrites - before.durableWrites,
      syncs: after.syncs - before.syncs,
      confirms: after.confirms - before.confirms,
    };
    process.stdout.write(JSON.stringify(cost), () => process.exit());
  });
});

function counts() {
  const { durableWrites, syncs } = files;
  const { confirms } = work;
  const heap = getHeapStatistics().used_heap_size;
  return { durableWrites, syncs, promises, confirms, heap, collections };
}

/** Chunk after chunk, each when the one before has been dealt with. No promises: they count. */
function repeat(work: Work, chunks: number, then: () => void): void {
  let left = chunks;
  const step = (): void => {
    if (!work.isDone()) setImmediate(step);
    else if (left-- === 0) then();
    else {
      work.next();
      setImmediate(step);
    }
  };
  step();
}
