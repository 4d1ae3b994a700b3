import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Consumer } from '../consumer.js';
import { CONNECTION, newVirtualHost, queueRequest } from '../virtual-host.test.support.js';
import { ConsumerRing } from './consumer-ring.js';

/** Whether a consumer may take another message is for the test to say. */
class Gate {
  isOpen = true;

  canTake(): boolean {
    return this.isOpen;
  }

  deliver(): void {}

  cancelled(): void {}
}

const QUEUE = newVirtualHost().queues.declare(queueRequest('q'), CONNECTION);

function newConsumer(tag: string, priority = 0): { consumer: Consumer; gate: Gate } {
  const gate = new Gate();
  const spec = {
    tag,
    priority,
    noAck: false,
    exclusive: false,
    prefetchCount: 0,
    timeoutMilliseconds: undefined,
    arguments: new Map(),
  };
  return { consumer: new Consumer(spec, QUEUE, gate), gate };
}

function newRing(...tags: string[]): { ring: ConsumerRing; of: Record<string, Gate> } {
  const ring = new ConsumerRing();
  const of: Record<string, Gate> = {};
  for (const tag of tags) {
    const { consumer, gate } = newConsumer(tag);
    ring.add(consumer);
    of[tag] = gate;
  }
  return { ring, of };
}

/** Gives a message to the consumer whose turn it is. */
function serve(ring: ConsumerRing): Consumer | undefined {
  const consumer = ring.peek();
  assert.equal(ring.peek(), consumer, 'looking does not pass the turn');
  if (consumer !== undefined) ring.advance();
  return consumer;
}

/** The tags of the next `count` consumers that are served. */
function next(ring: ConsumerRing, count: number): string {
  return Array.from({ length: count }, () => serve(ring)?.tag ?? '-').join('');
}

test('one after the other, in the order they came', () => {
  const { ring } = newRing('a', 'b', 'c');
  assert.equal(next(ring, 7), 'abcabca');
});

test('an empty ring has nobody', () => {
  assert.equal(next(new ConsumerRing(), 1), '-');
});

test('who is new comes last in the round', () => {
  const { ring } = newRing('a', 'b');
  assert.equal(next(ring, 1), 'a');
  ring.add(newConsumer('n').consumer);
  assert.equal(next(ring, 4), 'banb');
});

test('who goes leaves the turn to the next one', () => {
  for (const [gone, expected] of [
    ['a', 'bcdbc'],
    ['b', 'cdacd'],
    ['c', 'bdabd'],
    ['d', 'bcabc'],
  ] as const) {
    const ring = new ConsumerRing();
    const consumers = [...'abcd'].map((tag) => newConsumer(tag).consumer);
    for (const consumer of consumers) ring.add(consumer);
    assert.equal(next(ring, 1), 'a');
    ring.remove(consumers.find((consumer) => consumer.tag === gone)!);
    assert.equal(next(ring, 5), expected, `without ${gone}`);
  }
});

test('who has no credit is parked, and comes last once resumed', () => {
  const ring = new ConsumerRing();
  const { consumer, gate } = newConsumer('b');
  ring.add(newConsumer('a').consumer);
  ring.add(consumer);
  ring.add(newConsumer('c').consumer);
  gate.isOpen = false;
  assert.equal(next(ring, 5), 'acaca');
  assert.equal(consumer.parked, true);
  gate.isOpen = true;
  assert.equal(next(ring, 2), 'ca', 'credit alone does not bring it back');
  ring.add(consumer);
  assert.equal(consumer.parked, false);
  assert.equal(next(ring, 6), 'cabcab');
});

test('the highest priority is served until it has no credit, and again as soon as it has', () => {
  const ring = new ConsumerRing();
  const low = newConsumer('l', -5);
  const high = newConsumer('h', 10);
  const higher = newConsumer('H', 10);
  const normal = newConsumer('n');
  for (const { consumer } of [low, normal, high, higher]) ring.add(consumer);
  assert.equal(next(ring, 4), 'hHhH');
  high.gate.isOpen = false;
  assert.equal(next(ring, 2), 'HH');
  higher.gate.isOpen = false;
  assert.equal(next(ring, 2), 'nn');
  normal.gate.isOpen = false;
  assert.equal(next(ring, 2), 'll');
  high.gate.isOpen = true;
  ring.add(high.consumer);
  assert.equal(next(ring, 2), 'hh');
  low.gate.isOpen = false;
  high.gate.isOpen = false;
  assert.equal(next(ring, 2), '--');
});

test('nobody waits more than a round while consumers come, go, are parked and resumed', () => {
  const step = fc.record({
    kind: fc.constantFrom('next', 'next', 'next', 'add', 'remove', 'close', 'open'),
    at: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const ring = new ConsumerRing();
      // In the order in which they should come: a queue is a ring seen from whose turn it is.
      let model: { consumer: Consumer; gate: Gate }[] = [];
      const parked = new Set<(typeof model)[number]>();
      for (const [i, { kind, at }] of steps.entries()) {
        const chosen = model[at % model.length];
        if (kind === 'add') {
          const added = newConsumer(`c${i}`);
          ring.add(added.consumer);
          model.push(added);
        } else if (kind === 'open') {
          for (const each of parked) {
            each.gate.isOpen = true;
            ring.add(each.consumer);
            model.push(each);
          }
          parked.clear();
        } else if (kind === 'close' && chosen !== undefined) {
          chosen.gate.isOpen = false;
        } else if (kind === 'remove' && chosen !== undefined) {
          ring.remove(chosen.consumer);
          model = model.filter((each) => each !== chosen);
        } else if (kind === 'next') {
          while (model[0]?.gate.isOpen === false) parked.add(model.shift()!);
          const expected = model.shift();
          if (expected !== undefined) model.push(expected);
          assert.equal(serve(ring), expected?.consumer);
          assert.ok([...parked].every((each) => each.consumer.parked));
        }
      }
    }),
    { numRuns: 500 },
  );
});
