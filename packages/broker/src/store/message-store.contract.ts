import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MessageStore, Stored } from './message-store.js';

/** The least that a store asks of a message; counts who holds it. */
class CountedMessage implements Stored {
  holders = 0;
  readonly bodyBytes: number;

  constructor(bodyBytes = 0) {
    this.bodyBytes = bodyBytes;
  }

  retain(): void {
    this.holders++;
  }

  release(): void {
    this.holders--;
    assert.ok(this.holders >= 0, 'released more often than retained');
  }
}

type Step =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  | { readonly kind: 'look'; readonly at: number }
  | { readonly kind: 'clear' };

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const count = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 700 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('append'), count }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('remove'), at: fraction, count }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('look'), at: fraction }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear') }) },
);

/** What every {@link MessageStore} has to hold to. */
export function messageStoreContract(
  name: string,
  newStore: () => MessageStore<CountedMessage>,
): void {
  test(`${name}: positions count up from 0 and are never used again`, () => {
    const store = newStore();
    assert.equal(store.next, 0);
    assert.equal(store.append(new CountedMessage()), 0);
    assert.equal(store.append(new CountedMessage()), 1);
    store.remove(1);
    store.remove(0);
    assert.equal(store.next, 2);
    assert.equal(store.append(new CountedMessage()), 2);
    store.clear();
    assert.equal(store.append(new CountedMessage()), 3);
  });

  test(`${name}: a message is held from its append to its removal, or until all is cleared`, () => {
    const store = newStore();
    const messages = Array.from({ length: 3 }, () => new CountedMessage());
    for (const message of messages) store.append(message);
    assert.deepEqual(holdersOf(messages), [1, 1, 1]);
    store.remove(1);
    assert.deepEqual(holdersOf(messages), [1, 0, 1]);
    store.clear();
    assert.deepEqual(holdersOf(messages), [0, 0, 0]);
    store.clear();
    assert.deepEqual(holdersOf(messages), [0, 0, 0]);
  });

  test(`${name}: one message may be in a store twice`, () => {
    const store = newStore();
    const message = new CountedMessage();
    store.append(message);
    store.append(message);
    store.remove(0);
    assert.equal(message.holders, 1);
    assert.equal(store.read(1), message);
  });

  test(`${name}: asking for what is not there is a bug, and changes nothing`, () => {
    const store = newStore();
    const message = new CountedMessage();
    store.append(message);
    store.append(message);
    store.remove(0);
    for (const position of [0, 2, -1]) {
      assert.throws(() => store.read(position), { name: 'InvariantError' });
      assert.throws(() => store.remove(position), { name: 'InvariantError' });
    }
    assert.equal(store.size, 1);
    assert.equal(message.holders, 1);
  });

  test(`${name}: behaves as a map by position does`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const store = newStore();
        const model = new Map<number, CountedMessage>();
        const all: CountedMessage[] = [];
        for (const each of steps) {
          run(each, store, model, all);
          assert.equal(store.size, model.size);
          assert.equal(store.next, all.length);
        }
        assertHolds(store, model);
        store.clear();
        assert.equal(store.size, 0);
        assert.ok(all.every((message) => message.holders === 0));
      }),
    );
  });
}

function run(
  step: Step,
  store: MessageStore<CountedMessage>,
  model: Map<number, CountedMessage>,
  all: CountedMessage[],
): void {
  switch (step.kind) {
    case 'append':
      for (let i = 0; i < step.count; i++) {
        const message = new CountedMessage(all.length);
        const position = store.append(message);
        assert.equal(position, all.length);
        all.push(message);
        model.set(position, message);
      }
      return;
    case 'remove': {
      const from = Math.floor(step.at * model.size);
      for (const position of [...model.keys()].slice(from, from + step.count)) {
        store.remove(position);
        model.delete(position);
      }
      return;
    }
    case 'look': {
      const from = Math.floor(step.at * (all.length + 1));
      const following = [...model.keys()].find((position) => position >= from);
      assert.equal(store.firstFrom(from), following ?? all.length);
      return;
    }
    case 'clear':
      store.clear();
      model.clear();
      return;
  }
}

/** That the store has exactly what the model has, in order of position, each held once. */
function assertHolds(
  store: MessageStore<CountedMessage>,
  model: ReadonlyMap<number, CountedMessage>,
): void {
  const visited: [number, CountedMessage][] = [];
  store.forEach((message, position) => visited.push([position, message]));
  const expected = [...model];
  assert.equal(visited.length, expected.length);
  for (const [i, [position, message]] of expected.entries()) {
    assert.equal(visited[i]?.[0], position);
    assert.equal(visited[i]?.[1], message);
    assert.equal(store.read(position), message);
    assert.equal(store.bodyBytes(position), message.bodyBytes);
    assert.equal(message.holders, 1);
  }
  assert.equal(store.bodyBytes(store.next), 0);
}

function holdersOf(messages: readonly CountedMessage[]): number[] {
  return messages.map((message) => message.holders);
}
