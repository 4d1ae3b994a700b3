import { Deadlines } from '../../../base/deadlines.js';
import { ManualClock } from '../../../base/manual-clock.test.support.js';
import { systemRandom } from '../../../base/random.js';
import { MemoryStore } from '../../../store/memory-store.js';
import { backlogContract } from './backlog.contract.js';
import { FifoBacklog } from './fifo-backlog.js';
import { RuledBacklog } from './ruled-backlog.js';

function unbroken(error: unknown): never {
  throw error;
}

function unwatched(): never {
  throw new Error('Nobody watches.');
}

backlogContract('first in, first out', () => new FifoBacklog(new MemoryStore()));

backlogContract('first in, first out, with no rules set', () => {
  const deadlines = new Deadlines(new ManualClock(), unbroken);
  const deathWatch = { isOn: false, expired: unwatched, deadLettered: unwatched };
  const ports = { deadlines, deathWatch, random: systemRandom };
  return new RuledBacklog('q', new FifoBacklog(new MemoryStore()), 1, false, ports, () => {});
});
