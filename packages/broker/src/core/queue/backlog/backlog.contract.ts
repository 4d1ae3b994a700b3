import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../message.js';
import { TestMessage } from '../../message.test.support.js';
import type { GroupKey } from '../groups/group-key.js';
import type { Backlog } from './backlog.js';

/** How a backlog is held to sort its messages. */
export interface Sorting {
  /** Messages of a higher level go before others. */
  readonly levelOf?: (message: Message) => number;
  /** What it may be told to group its messages by in the course of things. */
  readonly groupings?: readonly (GroupKey | undefined)[];
}

/** What a backlog is held to. */
interface Entry {
  readonly message: TestMessage;
  /** When it came, counted from 0. */
  readonly order: number;
  readonly position: number;
  state: 'ready' | 'taken' | 'let go' | 'removed';
  wasTaken: boolean;
}

type Step =
  | { readonly kind: 'append'; readonly priority: number; readonly key: number }
  | { readonly kind: 'take' | 'takeOldest' | 'clear' | 'visit' }
  | {
      readonly kind: 'giveBack' | 'remove' | 'drop' | 'letGo' | 'regroup';
      readonly at: number;
    };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      priority: fc.integer({ max: 6, min: 0 }),
      key: fc.integer({ max: 3, min: 0 }),
    }),
  },
  { weight: 8, arbitrary: fc.constant<Step>({ kind: 'take' }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('giveBack'), at: fc.nat() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove'), at: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop'), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('letGo'), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('regroup'), at: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>({ kind: 'clear' }, { kind: 'visit' }, { kind: 'takeOldest' }),
  },
);

/**
 * What every {@link Backlog} has to hold to. Messages have a priority, and a header `a` or `b` or
 * neither; the backlog is in groups by the first of the groupings, if there are any.
 */
export function backlogContract(
  name: string,
  newBacklog: () => Backlog,
  sorting: Sorting = {},
): void {
  test(`${name}: the first ready message comes out, and what is given back keeps its place`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const run = new Run(newBacklog(), sorting);
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
    assert.equal(backlog.takeOldest(), -1);
    assert.equal(backlog.hasNext, false);
    backlog.append(newMessage(0, 0, 0));
    backlog.remove(backlog.take());
    assert.equal(backlog.take(), -1);
    assert.equal(backlog.ready, 0);
  });
}

class Run {
  #backlog: Backlog;
  readonly #levelOf: (message: Message) => number;
  readonly #groupings: readonly (GroupKey | undefined)[];
  #keyOf: GroupKey | undefined;
  readonly #entries: Entry[] = [];

  constructor(backlog: Backlog, { levelOf = () => 0, groupings = [] }: Sorting) {
    this.#backlog = backlog;
    this.#levelOf = levelOf;
    this.#groupings = groupings;
    this.#regroup(0);
  }

  step(step: Step): void {
    const taken = this.#in('taken');
    switch (step.kind) {
      case 'append':
        this.#append(step.priority, step.key);
        break;
      case 'take':
        this.#take();
        break;
      case 'takeOldest':
        this.#takeOldest();
        break;
      case 'regroup':
        this.#regroup(step.at);
        break;
      case 'giveBack':
      case 'remove':
      case 'letGo':
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
    this.#bringToHand();
    assert.equal(this.#backlog.hasNext, this.#next() !== undefined);
    for (const { message, position, state } of this.#entries) {
      assert.equal(this.#backlog.has(position), state !== 'removed');
      assert.equal(message.holders, state === 'removed' ? 0 : 1);
    }
  }

  drain(): void {
    for (const entry of this.#in('taken')) this.#settle(entry, 'giveBack');
    for (const entry of this.#in('let go')) this.#settle(entry, 'remove');
    while (this.#in('ready').length > 0) this.#settle(this.#take()!, 'remove');
    assert.equal(this.#backlog.take(), -1);
  }

  #append(priority: number, key: number): void {
    const order = this.#entries.length;
    const message = newMessage(order, priority, key);
    const position = this.#backlog.append(message);
    this.#entries.push({ message, order, position, state: 'ready', wasTaken: false });
  }

  #take(): Entry | undefined {
    const expected = this.#next();
    this.#bringToHand();
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

  #takeOldest(): void {
    const expected = this.#ready()[0];
    assert.equal(this.#backlog.takeOldest(), expected?.position ?? -1);
    if (expected !== undefined) expected.state = 'let go';
  }

  #settle(entry: Entry, kind: 'giveBack' | 'remove' | 'letGo'): void {
    this.#backlog[kind](entry.position);
    entry.state = ({ giveBack: 'ready', remove: 'removed', letGo: 'let go' } as const)[kind];
  }

  #regroup(at: number): void {
    const groupings = this.#groupings;
    if (groupings.length === 0) return;
    this.#keyOf = groupings[at % groupings.length];
    this.#backlog = this.#backlog.groupedBy(this.#keyOf);
    for (const { position } of this.#in('let go')) this.#backlog.letGo(position);
  }

  #bringToHand(): void {
    for (let isAtHand = this.#backlog.isAtHand; !isAtHand; isAtHand = this.#backlog.isAtHand) {
      assert.equal(this.#backlog.hasNext, true);
      this.#backlog.fetch(() => {});
    }
  }

  /** What is ready, in the order in which it is to go. */
  #ready(): Entry[] {
    return this.#in('ready').sort(
      (a, b) => this.#levelOf(b.message) - this.#levelOf(a.message) || a.order - b.order,
    );
  }

  /** The first of them of whose group none is taken. */
  #next(): Entry | undefined {
    const keyOf = (entry: Entry): string => this.#keyOf?.(entry.message) ?? '';
    const held = new Set(this.#in('taken').map(keyOf));
    held.delete('');
    return this.#ready().find((entry) => !held.has(keyOf(entry)));
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

function newMessage(order: number, priority: number, key: number): TestMessage {
  const headers = new Map([[key % 2 === 0 ? 'a' : 'b', { type: 'I', value: key } as const]]);
  const message = new TestMessage(`message ${order}`, key === 0 ? new Map() : headers, true);
  message.priority = priority;
  return message;
}
