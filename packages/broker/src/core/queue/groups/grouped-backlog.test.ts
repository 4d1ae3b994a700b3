import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Deadlines } from '../../../base/deadlines.js';
import { ManualClock } from '../../../base/manual-clock.test.support.js';
import { systemRandom } from '../../../base/random.js';
import { MemoryStore } from '../../../store/memory-store.js';
import type { Message } from '../../message.js';
import { TestMessage } from '../../message.test.support.js';
import { backlogContract } from '../backlog/backlog.contract.js';
import type { Backlog } from '../backlog/backlog.js';
import { FifoBacklog } from '../backlog/fifo-backlog.js';
import { RuledBacklog } from '../backlog/ruled-backlog.js';
import { type GroupKey, readGroupKey } from './group-key.js';

const BY_A: GroupKey = readGroupKey('a')!;
/** Every message has a key. */
const BY_LENGTH: GroupKey = (message) => String(message.bodyBytes);
/** All that a queue may be told, some of it more often than the rest. */
const GROUPINGS = [BY_A, BY_A, readGroupKey('header:b'), BY_LENGTH, undefined, BY_LENGTH];

/** A store most of whose messages have to be loaded before they can be read, each time anew. */
class PagedStore extends MemoryStore<Message> {
  readonly #loaded = new Set<number>();
  reads = 0;

  override isAtHand(position: number = 0): boolean {
    return this.isInMemory(position);
  }

  override isInMemory(position: number = 0): boolean {
    return position % 5 === 0 || this.#loaded.has(position);
  }

  override fetch(position: number, then: () => void): void {
    this.load(position, then);
  }

  override load(position: number, then: () => void): void {
    this.#loaded.add(position);
    then();
  }

  override read(position: number): Message {
    assert.ok(this.isInMemory(position), 'read without having been loaded');
    this.reads++;
    if (position % 2 === 0) this.#loaded.delete(position);
    return super.read(position);
  }
}

backlogContract('one at a time of each key', () => new FifoBacklog(new MemoryStore()), {
  groupings: [BY_A],
});

backlogContract('… by keys that change', () => new FifoBacklog(new MemoryStore()), {
  groupings: GROUPINGS,
});

backlogContract('… when most has to be read from a disk', () => new FifoBacklog(new PagedStore()), {
  groupings: GROUPINGS,
});

backlogContract(
  '… under rules',
  () => {
    const deadlines = new Deadlines(new ManualClock(), (error) => {
      throw error;
    });
    const deathWatch = { isOn: false, expired: () => {}, deadLettered: () => {} };
    const ports = { deadlines, deathWatch, random: systemRandom };
    return new RuledBacklog('q', new FifoBacklog(new MemoryStore()), 1, false, ports, () => {});
  },
  { groupings: GROUPINGS },
);

function newMessage(key: string, label: string = key): TestMessage {
  return new TestMessage(label, new Map([['a', { type: 'S', value: key }]]), true);
}

/** The labels of so many messages, taken one after the other; undefined where none can be. */
function take(backlog: Backlog, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => {
    while (!backlog.isAtHand) backlog.fetch(() => {});
    const position = backlog.take();
    return position < 0 ? undefined : backlog.read(position).body().toString();
  });
}

describe('a queue that is in groups from now on', () => {
  /** Three messages of one key, two of another. */
  function queueInUse(store: MemoryStore<Message>): FifoBacklog {
    const backlog = new FifoBacklog(store);
    for (const label of ['x1', 'x2', 'y1', 'x3', 'y2']) {
      backlog.append(newMessage(label[0]!, label));
    }
    return backlog;
  }

  test('does not deliver what has to wait for messages that are delivered already', () => {
    const plain = queueInUse(new PagedStore());
    const [x1, x2] = [plain.take(), plain.take()];
    const backlog = plain.groupedBy(BY_A);
    assert.equal(backlog.ready, 3);
    assert.deepEqual(take(backlog, 2), ['y1', undefined]);
    backlog.giveBack(x2);
    assert.deepEqual(take(backlog, 1), [undefined]);
    backlog.remove(x1);
    assert.deepEqual(take(backlog, 2), ['x2', undefined]);
    assert.equal(backlog.redelivered, true);
    backlog.remove(x2);
    assert.deepEqual(take(backlog, 1), ['x3']);
    assert.equal(backlog.redelivered, false);
  });

  test('takes what comes back in order, however much is delivered of a key', () => {
    const plain = new FifoBacklog(new MemoryStore());
    for (let i = 0; i < 8; i++) plain.append(newMessage('x', `x${i}`));
    const delivered = Array.from({ length: 6 }, () => plain.take());
    const backlog = plain.groupedBy(BY_A);
    for (const at of [4, 1, 2, 5, 0, 3]) {
      assert.deepEqual(take(backlog, 1), [undefined]);
      backlog.giveBack(delivered[at]!);
    }
    for (let i = 0; i < 8; i++) {
      assert.deepEqual(take(backlog, 2), [`x${i}`, undefined]);
      backlog.remove(i);
    }
  });

  test('forgets what the disk has lost, delivered or not', () => {
    const store = new PagedStore();
    const plain = queueInUse(store);
    const x1 = plain.take();
    const backlog = plain.groupedBy(BY_A);
    assert.deepEqual(take(backlog, 2), ['y1', undefined]);
    store.remove(x1);
    store.onLost(x1);
    assert.equal(backlog.ready, 3);
    // Whoever had it may say once more that it is done with.
    backlog.letGo(x1);
    store.remove(1);
    store.onLost(1);
    assert.equal(backlog.ready, 2);
    assert.deepEqual(take(backlog, 2), ['x3', undefined]);
  });
});

test('what waits is not looked at again and again', () => {
  const store = new PagedStore();
  const backlog = new FifoBacklog(store).groupedBy(BY_A);
  const messages = 20_000;
  for (let i = 0; i < messages; i++) backlog.append(newMessage('slow'));
  for (let i = 0; i < messages; i++) backlog.append(newMessage(`k${i}`));
  const first = backlog.take();
  const before = store.reads;
  const scanned = countCalls(store, 'firstFrom', () => {
    for (let i = 0; i < messages; i++) backlog.remove(backlog.take());
  });
  assert.equal(backlog.hasNext, false);
  assert.equal(backlog.ready, messages - 1);
  assert.equal(store.reads, before);
  assert.ok(scanned <= messages, `${scanned} looks for ${messages} messages`);
  backlog.remove(first);
  assert.equal(backlog.take(), 1);
});

/** How often a method of a store is called meanwhile. */
function countCalls(store: PagedStore, name: 'firstFrom', during: () => void): number {
  let calls = 0;
  const original = store[name].bind(store);
  store[name] = (from) => {
    calls++;
    return original(from);
  };
  during();
  return calls;
}
