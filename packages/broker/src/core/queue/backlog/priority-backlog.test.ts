import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryStore } from '../../../store/memory-store.js';
import type { Message } from '../../message.js';
import { TestMessage } from '../../message.test.support.js';
import { backlogContract } from './backlog.contract.js';
import { PriorityBacklog } from './priority-backlog.js';

for (const maximum of [1, 3, 255]) {
  backlogContract(
    `priorities up to ${maximum}`,
    () => new PriorityBacklog(maximum, () => new MemoryStore(), []),
    { levelOf: (message) => Math.min(message.priority, maximum) },
  );
}

test('a store is made for each priority in use, and for no other', () => {
  let stores = 0;
  const newStore = (): MemoryStore<Message> => {
    stores++;
    return new MemoryStore();
  };
  const backlog = new PriorityBacklog(255, newStore, []);
  assert.equal(stores, 0);
  for (const priority of [0, 255, 0, 7]) {
    const message = new TestMessage(`${priority}`, new Map(), true);
    message.priority = priority;
    backlog.append(message);
  }
  assert.equal(stores, 3);
  assert.equal(backlog.read(backlog.take()).priority, 255);
  assert.equal(backlog.read(backlog.take()).priority, 7);
});
