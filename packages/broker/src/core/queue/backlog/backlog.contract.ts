import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../message.js';
import { TestMessage } from '../../message.test.support.js';
import type { Backlog } from './backlog.js';

/** What a backlog is held to. */
interface Entry {
  readonly message: TestMessage;
  /** When it came, counted from 0. */
  readonly order: number;
  readonly position: number;
  state: 'ready' | 'taken' | 'removed';
  wasTaken: boolean;
}

type Step =
  | { readonly kind: 'append'; readonly priority: number }
  | { readonly kind: 'take' | 'clear' | 'visit' }
  | { readonly kind: 'giveBack' | 'remove' | 'drop'; readonly at: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('append'), priority: fc.integer({ max: 6, min: 0 }) }),
  },
  { weight: 8, arbitrary: fc.constant<Step>({ kind: 'take' }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('giveBack'), at: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove'), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop'), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'clear' }, { kind: 'visit' }) },
);

/** What every {@link Backlog} has to hold to; `levelOf` says which messages go before others. */
export function backlogContract(
  name: string,
  newBacklog: () => Backlog,
  levelOf: (message: Message) => number,
): void {
  test(`${name}: the first ready message comes out, and what is given back keeps its place`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const run = new Run(newBacklog(), levelOf);
        for (const each of steps) run.step(each);
        run.drain();
      }),
      { numRuns: 300 },
    );
  });

  test(`${name}: an empty backlog gives nothing`, () => {
    const backlog = newBacklog();
    assert.equal(backlog.ready, 0);
    assert.equal(backlog.take(), -1);
    backlog.append(newMessage(0, 0));
    backlog.remove(backlog.take());
    assert.equal(backlog.take(), -1);
    assert.equal(backlog.ready, 0);
  });
}

class Run {
  readonly #backlog: Backlog;
  readonly #levelOf: (message: Message) => number;
  readonly #entries: Entry[] = [];

  constructor(backlog: Backlog, levelOf: (message: Message) => number) {
    this.#backlog = backlog;
    this.#levelOf = levelOf;
  }

  step(step: Step): void {
    const taken = this.#in('taken');
    switch (step.kind) {
      case 'append':
        this.#append(step.priority);
        break;
      case 'take':
        this.#take();
        break;
      case 'giveBack':
      case 'remove':
        if (taken.length > 0) this.#settle(taken[step.at % taken.length]!, step.kind);
        break;
      case 'drop':
        this.#drop(step.at);
        break;
      case 'clear':
        this.#backlog.clear();
        for (const entry of this.#entries) entry.state = 'removed';
        break;
      case 'visit':
        this.#visit();
    }
    assert.equal(this.#backlog.ready, this.#in('ready').length);
    for (const { message, position, state } of this.#entries) {
      assert.equal(this.#backlog.has(position), state !== 'removed');
      assert.equal(message.holders, state === 'removed' ? 0 : 1);
    }
  }

  drain(): void {
    for (const entry of this.#in('taken')) this.#settle(entry, 'giveBack');
    while (this.#in('ready').length > 0) this.#settle(this.#take()!, 'remove');
    assert.equal(this.#backlog.take(), -1);
  }

  #append(priority: number): void {
    const order = this.#entries.length;
    const message = newMessage(order, priority);
    const position = this.#backlog.append(message);
    this.#entries.push({ message, order, position, state: 'ready', wasTaken: false });
  }

  #take(): Entry | undefined {
    const expected = this.#in('ready').sort(
      (a, b) => this.#levelOf(b.message) - this.#levelOf(a.message) || a.order - b.order,
    )[0];
    const position = this.#backlog.take();
    if (expected === undefined) {
      assert.equal(position, -1);
      return undefined;
    }
    assert.equal(this.#backlog.read(position), expected.message);
    assert.equal(this.#backlog.redelivered, expected.wasTaken);
    assert.equal(position, expected.position);
    expected.state = 'taken';
    expected.wasTaken = true;
    return expected;
  }

  #settle(entry: Entry, kind: 'giveBack' | 'remove'): void {
    this.#backlog[kind](entry.position);
    entry.state = kind === 'remove' ? 'removed' : 'ready';
  }

  /** Removes a ready message from where it is. */
  #drop(at: number): void {
    const ready = this.#in('ready');
    const entry = ready[at % ready.length];
    if (entry === undefined) return;
    this.#backlog.drop(entry.position);
    entry.state = 'removed';
  }

  #visit(): void {
    const positions = new Set<number>();
    this.#backlog.forEachReady((position) => positions.add(position));
    assert.deepEqual(positions, new Set(this.#in('ready').map(({ position }) => position)));
    const visited = new Set<Message>();
    this.#backlog.forEach((message) => visited.add(message));
    const there = this.#entries.filter(({ state }) => state !== 'removed');
    assert.equal(visited.size, there.length);
    assert.ok(there.every(({ message }) => visited.has(message)));
  }

  #in(state: Entry['state']): Entry[] {
    return this.#entries.filter((entry) => entry.state === state);
  }
}

function newMessage(order: number, priority: number): TestMessage {
  const message = new TestMessage(`message ${order}`, new Map(), true);
  message.priority = priority;
  return message;
}
