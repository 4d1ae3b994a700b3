import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConfirmDue, Confirms } from './confirms.js';

/** A publisher's account: what it has been told of each publish, as a client keeps it. */
class Account {
  readonly answers = new Map<number, 'ack' | 'nack'>();
  #lowest = 1;

  take(due: readonly ConfirmDue[], published: number): void {
    for (const { method, deliveryTag, multiple } of due) {
      assert.ok(deliveryTag >= 1 && deliveryTag <= published, `tag ${deliveryTag} of ${published}`);
      const answer = method === 'basic.ack' ? 'ack' : 'nack';
      const tags = multiple ? this.#openUpTo(deliveryTag) : [deliveryTag];
      assert.ok(tags.length > 0);
      for (const tag of tags) {
        assert.ok(!this.answers.has(tag), `${tag} was answered twice`);
        this.answers.set(tag, answer);
      }
    }
  }

  #openUpTo(deliveryTag: number): number[] {
    while (this.answers.has(this.#lowest)) this.#lowest++;
    const tags: number[] = [];
    for (let tag = this.#lowest; tag <= deliveryTag; tag++) {
      if (!this.answers.has(tag)) tags.push(tag);
    }
    return tags;
  }
}

test('each publish is answered once, a refused one with a nack, none before the disk has it', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('publish' as const),
        isRefused: fc.boolean(),
        goesToDisk: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('endTurn' as const), n: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('sync' as const), n: fc.nat(3) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const confirms = new Confirms();
      confirms.isEnabled = true;
      const account = new Account();
      const expected: ('ack' | 'nack')[] = [];
      const operations: number[] = [];
      let appended = 0;
      let durable = 0;
      const take = (): void => {
        account.take(confirms.take(durable), expected.length);
        for (const [tag, answer] of account.answers) {
          assert.equal(answer, expected[tag - 1]);
          if (answer === 'ack') assert.ok(operations[tag - 1]! <= durable, 'it may be lost yet');
        }
      };
      for (const each of steps) {
        if (each.kind === 'publish') {
          confirms.published();
          if (each.isRefused) confirms.refused();
          if (each.goesToDisk) appended++;
          expected.push(each.isRefused ? 'nack' : 'ack');
          operations.push(appended);
        } else {
          if (each.kind === 'sync') durable = Math.min(appended, durable + each.n);
          confirms.waitFor(appended);
          take();
        }
      }
      durable = appended;
      confirms.waitFor(appended);
      take();
      assert.equal(account.answers.size, expected.length);
      assert.deepEqual(confirms.take(durable), []);
    }),
    { numRuns: 1000 },
  );
});

test('what was published in a turn is answered with one ack', () => {
  const confirms = new Confirms();
  confirms.isEnabled = true;
  for (let i = 0; i < 5; i++) confirms.published();
  confirms.waitFor(0);
  assert.deepEqual(confirms.take(0), [{ method: 'basic.ack', deliveryTag: 5, multiple: true }]);
  confirms.published();
  confirms.waitFor(0);
  assert.deepEqual(confirms.take(0), [{ method: 'basic.ack', deliveryTag: 6, multiple: false }]);
});

test('a nack waits for nothing, and goes before an ack that passes it', () => {
  const confirms = new Confirms();
  confirms.isEnabled = true;
  confirms.published();
  confirms.published();
  confirms.refused();
  confirms.published();
  confirms.waitFor(7);
  assert.deepEqual(confirms.take(6), [{ method: 'basic.nack', deliveryTag: 2, multiple: false }]);
  assert.deepEqual(confirms.take(7), [{ method: 'basic.ack', deliveryTag: 3, multiple: true }]);
});
