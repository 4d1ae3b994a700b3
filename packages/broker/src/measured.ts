/**
 * Parts of the broker that `bench/micro` measures on their own. Nobody else can import this: the
 * package names it only to who asks with the condition `leveret-bench`.
 */

export { Turn } from './base/turn.js';
export { Exchange } from './core/exchange/exchange.js';
export { RouteCache } from './core/exchange/route-cache.js';
export type { Destination } from './core/exchange/router.js';
export { newRouter } from './core/exchange/router-types.js';
export type { Message } from './core/message.js';
export { FifoBacklog } from './core/queue/backlog/fifo-backlog.js';
export { composeMessage } from './protocols/amqp091/publishing/compose-message.js';
export { Batch, Placements } from './store/journal/batch.js';
export type { Chain } from './store/journal/chain.js';
export { sealBatch } from './store/journal/journal-format.js';
export { MemoryStore } from './store/memory-store.js';
export { SlabAllocator } from './store/slab.js';
