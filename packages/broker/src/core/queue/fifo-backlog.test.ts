import { MemoryStore } from '../../store/memory-store.js';
import { backlogContract } from './backlog.contract.js';
import { FifoBacklog } from './fifo-backlog.js';

backlogContract(
  'first in, first out',
  () => new FifoBacklog(new MemoryStore()),
  () => 0,
);
