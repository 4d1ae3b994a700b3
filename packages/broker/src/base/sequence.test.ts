import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { heldBytes } from './held-bytes.test.support.js';
import { Sequence } from './sequence.js';

/** Slots in a chunk: numbers around its multiples are where mistakes would hide. */
const CHUNK = 512;

/** What a sequence is held to: its values by number, and the numbers used up. */
interface Model {
  readonly values: Map<number, string>;
  readonly first: number;
  next: number;
}

type Command = fc.Command<Model, Sequence<string>>;

/** A command that may always be run. */
class Step implements Command {
  readonly #name: string;
  readonly #run: (model: Model, real: Sequence<string>) => void;

  constructor(name: string, run: (model: Model, real: Sequence<string>) => void) {
    this.#name = name;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  run(model: Model, real: Sequence<string>): void {
    this.#run(model, real);
    assert.equal(real.size, model.values.size);
    assert.equal(real.next, model.next);
  }

  toString(): string {
    return this.#name;
  }
}

function push(model: Model, real: Sequence<string>): void {
  const value = `value ${model.next}`;
  assert.equal(real.push(value), model.next);
  model.values.set(model.next++, value);
}

function skip(model: Model, real: Sequence<string>): void {
  assert.equal(real.skip(), model.next++);
}

function remove(model: Model, real: Sequence<string>, number: number): void {
  assert.equal(real.delete(number), model.values.get(number));
  model.values.delete(number);
}

function sorted(model: Model): number[] {
  return [...model.values.keys()].sort((a, b) => a - b);
}

/** A number that was used, or lies just beyond those that were. */
function pick(model: Model, fraction: number): number {
  return model.first + Math.floor(fraction * (model.next - model.first + 2)) - 1;
}

/** Removes a range, from either end or from the middle outwards. */
function removeMany(model: Model, real: Sequence<string>, from: number, count: number): void {
  const numbers = sorted(model).slice(from, from + count);
  if (count % 3 === 1) numbers.reverse();
  for (const number of numbers) remove(model, real, number);
}

const fraction = fc.double({ min: 0, max: 1, noNaN: true });
const amount = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 1_300 }));
const commands = [
  amount.map((count) => repeated(`push ${count}`, count, push)),
  amount.map((count) => repeated(`skip ${count}`, count, skip)),
  fraction.map(
    (at) =>
      new Step(`delete at ${at}`, (model, real) => {
        remove(model, real, pick(model, at));
      }),
  ),
  fc.tuple(fraction, amount).map(
    ([at, count]) =>
      new Step(`delete ${count} from ${at}`, (model, real) => {
        removeMany(model, real, Math.floor(at * model.values.size), count);
      }),
  ),
  fc.constant(
    new Step('delete all', (model, real) => {
      removeMany(model, real, 0, model.values.size);
    }),
  ),
  fraction.map(
    (at) =>
      new Step(`restore at ${at}`, (model, real) => {
        const number = Math.max(model.first, pick(model, at));
        if (number >= model.next || model.values.has(number)) return;
        real.restore(number, `restored ${number}`);
        model.values.set(number, `restored ${number}`);
      }),
  ),
  fraction.map(
    (at) =>
      new Step(`look at ${at}`, (model, real) => {
        const number = pick(model, at);
        assert.equal(real.get(number), model.values.get(number));
        const following = sorted(model).find((each) => each >= number);
        assert.equal(real.firstFrom(number), following ?? model.next);
        assert.equal(real.first(), sorted(model)[0] ?? model.next);
      }),
  ),
  fc.constant(new Step('visit all', visitAll)),
];

function repeated(
  name: string,
  count: number,
  action: (model: Model, real: Sequence<string>) => void,
): Step {
  return new Step(name, (model, real) => {
    for (let i = 0; i < count; i++) action(model, real);
  });
}

function visitAll(model: Model, real: Sequence<string>): void {
  const visited: [number, string][] = [];
  real.forEach((value, number) => visited.push([number, value]));
  assert.deepEqual(
    visited,
    sorted(model).map((number) => [number, model.values.get(number)]),
  );
}

test('a sequence behaves as a map by number does', () => {
  const firsts = fc.constantFrom(0, 1, CHUNK - 1, CHUNK, 5 * CHUNK + 7);
  fc.assert(
    fc.property(firsts, fc.commands(commands, { maxCommands: 60, size: 'max' }), (first, steps) => {
      fc.modelRun(
        () => ({
          model: { values: new Map<number, string>(), first, next: first },
          real: new Sequence<string>(first),
        }),
        [...steps, new Step('visit all', visitAll)],
      );
    }),
    { numRuns: 200 },
  );
});

test('numbers are used once, whether or not they have a value', () => {
  const sequence = new Sequence<string>(1);
  assert.equal(sequence.push('a'), 1);
  assert.equal(sequence.skip(), 2);
  assert.equal(sequence.delete(1), 'a');
  assert.equal(sequence.push('b'), 3);
  assert.equal(sequence.get(2), undefined);
  assert.equal(sequence.delete(2), undefined);
  assert.equal(sequence.size, 1);
});

test('a number of none is nothing: below, beyond, absurd', () => {
  const sequence = new Sequence<string>(1);
  for (let i = 0; i < CHUNK + 10; i++) sequence.push('a');
  for (const number of [0, -1, -CHUNK, sequence.next, sequence.next + CHUNK, 2 ** 53, 2 ** 64]) {
    assert.equal(sequence.get(number), undefined, String(number));
    assert.equal(sequence.delete(number), undefined, String(number));
  }
  assert.equal(sequence.size, CHUNK + 10);
});

test('values may be deleted while all are visited', () => {
  const sequence = new Sequence<number>(0);
  for (let i = 0; i < 3 * CHUNK; i++) sequence.push(i);
  const visited: number[] = [];
  sequence.forEach((value) => {
    visited.push(value);
    sequence.delete(value);
    sequence.delete(value + 1);
  });
  assert.deepEqual(
    visited,
    Array.from({ length: 1.5 * CHUNK }, (_, i) => 2 * i),
  );
  assert.equal(sequence.size, 0);
});

// In each of these a slot left behind for every number would be 8 MB.
const HELD_BYTES_MAX = 500_000;

test('one old value does not hold what came after it', () => {
  const bytes = heldBytes(() => {
    const sequence = new Sequence<object>(0);
    const value = {};
    const survivor = sequence.push(value);
    let oldest = survivor;
    for (let i = 0; i < 1_000_000; i++) {
      sequence.push(value);
      if (i % 5 === 4) sequence.skip();
      if (sequence.size <= 1_000) continue;
      oldest = sequence.firstFrom(oldest + 1);
      sequence.delete(oldest);
    }
    assert.equal(sequence.size, 1_000);
    assert.equal(sequence.first(), survivor);
    return sequence;
  });
  assert.ok(bytes < HELD_BYTES_MAX, `${bytes} octets`);
});

test('nothing is held when everything is removed at once, or skipped', () => {
  const bytes = heldBytes(() => {
    const sequence = new Sequence<object>(1);
    const value = {};
    for (let i = 0; i < 200_000; i++) {
      sequence.delete(sequence.push(value));
      for (let skipped = 0; skipped < i % 10; skipped++) sequence.skip();
    }
    assert.equal(sequence.size, 0);
    return sequence;
  });
  assert.ok(bytes < HELD_BYTES_MAX, `${bytes} octets`);
});
