import { MemoryStore } from './memory-store.js';
import { messageStoreContract } from './message-store.contract.js';

messageStoreContract('a store in memory', () => new MemoryStore());
