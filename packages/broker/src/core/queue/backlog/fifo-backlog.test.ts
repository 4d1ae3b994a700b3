import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../base/deadlines.js';
import { ManualClock } from '../../../base/manual-clock.test.support.js';
import { systemRandom } from '../../../base/random.js';
import { MemoryStore } from '../../../store/memory-store.js';
import { TestMessage } from '../../message.test.support.js';
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

test('a message that the disk loses while it is taken is missed by nobody', () => {
  const store = new MemoryStore<TestMessage>();
  const backlog = new FifoBacklog(store);
  const lost: [number, boolean][] = [];
  backlog.onLost = (position, wasReady) => lost.push([position, wasReady]);
  for (const label of ['a', 'b', 'c']) backlog.append(new TestMessage(label).keep());
  const [taken, returned] = [backlog.take(), backlog.take()];
  backlog.giveBack(returned);
  for (const position of [taken, returned, 2]) store.onLost(position);
  assert.deepEqual(lost, [
    [taken, false],
    [returned, true],
    [2, true],
  ]);
  assert.equal(backlog.ready, 0);
});
