import {
  Batch,
  type Chain,
  composeMessage,
  Placements,
  SlabAllocator,
  sealBatch,
} from '@leveret/broker/measured';
import { bench, do_not_optimize, group } from 'mitata';

/** Messages in a batch: what gathers while the one before is being written. */
const MESSAGES = 50;
const SEED = 42;

/** All that a batch wants to know of a queue's store. */
const CHAIN = { chain: 256 } as Chain;

export function journal(): void {
  group('journal, without the disk', () => {
    for (const bodyBytes of [16, 1_024]) {
      const parts = { exchange: '', routingKey: 'orders', properties: { deliveryMode: 2 } };
      const body = Buffer.alloc(bodyBytes);
      const message = composeMessage(new SlabAllocator(), { ...parts, body });
      const batch = new Batch();
      const placements = new Placements();
      bench(`append ${MESSAGES} messages of ${bodyBytes} octets, and seal the batch`, () => {
        for (let at = 0; at < MESSAGES; at++) {
          placements.add(CHAIN, at, 0);
          batch.publish(message, placements, false);
          placements.clear();
        }
        batch.sealPublishes(batch.bytes, 0, SEED);
        const header = { firstOperation: 0, count: batch.count, durable: 0, epoch: 1 };
        sealBatch(batch.bytes, header, SEED);
        do_not_optimize(batch.length);
        batch.clear();
      });
    }
  });
}
