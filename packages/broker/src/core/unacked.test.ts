import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { QueueWorld } from './queue/queue-world.test.support.js';
import { type Unacked, UnackedLedger } from './unacked.js';

const world = new QueueWorld();
const { queue } = world;

function takeUpTo(ledger: UnackedLedger, deliveryTag: number): [number, number][] | undefined {
  const taken: [number, number][] = [];
  const known = ledger.takeUpTo(deliveryTag, (each, tag) => taken.push([tag, each.position]));
  if (!known) assert.deepEqual(taken, []);
  return known ? taken : undefined;
}

test('tags count from 1, and a delivery without acknowledgement uses one up', () => {
  const ledger = new UnackedLedger();
  assert.equal(ledger.add(queue, 10), 1);
  assert.equal(ledger.skip(), 2);
  assert.equal(ledger.add(queue, 30), 3);
  assert.equal(ledger.size, 2);
  assert.equal(ledger.take(2), undefined);
  assert.equal(ledger.take(3)?.position, 30);
  assert.equal(ledger.take(3), undefined, 'each is settled once');
  assert.equal(ledger.take(0), undefined);
  assert.equal(ledger.take(4), undefined);
});

test('a delivery to a consumer is told from one that was got from a queue', () => {
  const ledger = new UnackedLedger();
  const { consumer } = world.subscribe();
  ledger.add(queue, 10);
  ledger.add(consumer, 11);
  assert.deepEqual(ledger.get(1), { queue, position: 10, consumer: undefined });
  assert.deepEqual(ledger.get(2), { queue, position: 11, consumer });
  assert.ok(ledger.has(2));
  assert.ok(!ledger.has(3));
});

test('several at once: up to a tag that waits, or all there are', () => {
  const ledger = new UnackedLedger();
  for (let position = 1; position <= 6; position++) {
    if (position === 2) ledger.skip();
    else ledger.add(queue, position);
  }
  assert.equal(takeUpTo(ledger, 2), undefined, 'nothing waits under it');
  assert.equal(takeUpTo(ledger, 7), undefined, 'never given out');
  ledger.take(3);
  assert.deepEqual(takeUpTo(ledger, 4), [
    [1, 1],
    [4, 4],
  ]);
  assert.equal(takeUpTo(ledger, 4), undefined, 'settled before');
  assert.deepEqual(takeUpTo(ledger, 0), [
    [5, 5],
    [6, 6],
  ]);
  assert.deepEqual(takeUpTo(ledger, 0), [], 'nothing is all there is');
  assert.equal(ledger.add(queue, 7), 7);
});

test('what is put back waits under its tag again', () => {
  const ledger = new UnackedLedger();
  for (let position = 1; position <= 3; position++) ledger.add(queue, position);
  const taken = ledger.take(2)!;
  ledger.restore(2, taken);
  assert.equal(ledger.size, 3);
  assert.deepEqual(takeUpTo(ledger, 2), [
    [1, 1],
    [2, 2],
  ]);
});

test('it behaves as a map by tag does', () => {
  const step = fc.record({
    kind: fc.constantFrom('add', 'add', 'skip', 'take', 'takeUpTo', 'restore'),
    at: fc.nat(),
    count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 600 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50, size: 'max' }), (steps) => {
      const ledger = new UnackedLedger();
      const model = new Map<number, Unacked>();
      let taken: [number, Unacked][] = [];
      let next = 1;
      for (const { kind, at, count } of steps) {
        const tag = at % (next + 1);
        const known = model.get(tag);
        if (kind === 'add') {
          for (let i = 0; i < count; i++) {
            model.set(next, { queue, position: next, consumer: undefined });
            assert.equal(ledger.add(queue, next), next++);
          }
        } else if (kind === 'skip') {
          for (let i = 0; i < count; i++) assert.equal(ledger.skip(), next++);
        } else if (kind === 'take') {
          assert.deepEqual(ledger.take(tag)?.position, known?.position);
          if (known !== undefined) taken.push([tag, known]);
          model.delete(tag);
        } else if (kind === 'takeUpTo') {
          const end = tag === 0 ? next : tag;
          const upTo = [...model].filter(([each]) => each <= end).sort(([a], [b]) => a - b);
          const expected = upTo.map(([each, { position }]) => [each, position]);
          const isKnown = tag === 0 || known !== undefined;
          assert.deepEqual(takeUpTo(ledger, tag), isKnown ? expected : undefined);
          if (isKnown) for (const [each] of upTo) model.delete(each);
          if (isKnown) taken.push(...upTo);
        } else {
          for (const [each, unacked] of taken) {
            ledger.restore(each, unacked);
            model.set(each, unacked);
          }
          taken = [];
        }
        assert.equal(ledger.size, model.size);
      }
    }),
  );
});
