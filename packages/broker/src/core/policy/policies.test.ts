import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Governed, mergeDefinitions, Policies } from './policies.js';
import type { PolicyRequest } from './policy.js';

function policies(...requests: readonly Partial<PolicyRequest>[]): Policies {
  const list = new Policies('policy', () => {});
  requests.forEach((each, index) => {
    list.set({ name: `p${index}`, pattern: '', definition: { expires: 1 }, ...each });
  });
  return list;
}

function queue(name: string, type: 'classic' | 'quorum' | 'stream' = 'classic'): Governed {
  return { kind: 'queue', name, type };
}

const EXCHANGE: Governed = { kind: 'exchange', name: 'x' };

describe('policies', () => {
  test('the one with the highest priority governs alone; of equals the first by name', () => {
    const list = policies(
      { name: 'low', priority: -1 },
      { name: 'b', priority: 3 },
      { name: 'a', priority: 3 },
      { name: 'usual' },
    );
    assert.equal(list.match(queue('q'))?.name, 'a');
    list.delete('a');
    assert.equal(list.match(queue('q'))?.name, 'b');
    list.delete('b');
    assert.equal(list.match(queue('q'))?.name, 'usual');
    list.delete('usual');
    assert.equal(list.match(queue('q'))?.name, 'low');
  });

  test('a pattern is found anywhere in a name, octet by octet', () => {
    const list = policies(
      { name: 'dots', pattern: '^a.c$' },
      { name: 'u', pattern: '\u00c3\u00bc', priority: 1 },
    );
    assert.equal(list.match(queue('abc'))?.name, 'dots');
    assert.equal(list.match(queue('abcd')), undefined);
    assert.equal(list.match(queue('Gr\u00c3\u00bcn'))?.name, 'u');
    assert.equal(list.match(queue('a\u00c3\u00bcc'))?.name, 'u');
  });

  test('apply to what they say', () => {
    const cases = [
      ['all', true, true, true, true],
      ['queues', true, true, true, false],
      ['classic_queues', true, false, false, false],
      ['quorum_queues', false, true, false, false],
      ['streams', false, false, true, false],
      ['exchanges', false, false, false, true],
    ] as const;
    for (const [applyTo, ...expected] of cases) {
      const list = policies({ applyTo });
      const things: readonly Governed[] = [
        queue('q'),
        queue('q', 'quorum'),
        queue('q', 'stream'),
        EXCHANGE,
      ];
      const found = things.map((governed) => list.match(governed) !== undefined);
      assert.deepEqual(found, expected, applyTo);
    }
  });

  test('one with a key of streams keeps away from other queues', () => {
    const list = policies({ definition: { 'max-age': '1D', 'max-length-bytes': 5 } });
    assert.equal(list.match(queue('q')), undefined);
    assert.equal(list.match(queue('q', 'stream'))?.name, 'p0');
  });

  test('are listed by name, with what was left out filled in', () => {
    const list = policies({ name: 'b', priority: 5 }, { name: 'a', applyTo: 'queues' });
    const rest = { pattern: '', definition: { expires: 1 } };
    assert.deepEqual(list.list(), [
      { name: 'a', applyTo: 'queues', priority: 0, ...rest },
      { name: 'b', applyTo: 'all', priority: 5, ...rest },
    ]);
    assert.deepEqual(list.get('b'), list.list()[1]);
  });

  test('are told of when they come, change and go, and not when nothing does', () => {
    const told: unknown[] = [];
    const list = new Policies('operator_policy', (...news) => told.push(news));
    const request = { name: 'p', pattern: '', definition: { expires: 1 } };
    list.set(request);
    list.set({ ...request, priority: 2 });
    assert.throws(() => list.set({ ...request, pattern: '(' }));
    assert.equal(list.get('p')?.priority, 2);
    assert.equal(list.delete('other'), false);
    assert.equal(list.delete('p'), true);
    const policy = { ...request, applyTo: 'all' };
    assert.deepEqual(told, [
      ['operator_policy', 'p', { ...policy, priority: 0 }],
      ['operator_policy', 'p', { ...policy, priority: 2 }],
      ['operator_policy', 'p', undefined],
    ]);
  });

  test('do not change when the object they were made from does', () => {
    const definition = { expires: 1 };
    const list = policies({ definition });
    definition.expires = 99;
    assert.deepEqual(list.get('p0')?.definition, { expires: 1 });
  });
});

describe('a policy and an operator policy together', () => {
  test('hold the smaller of two numbers, and all that only one says', () => {
    const policy = { 'max-length': 10, 'message-ttl': 5, 'dead-letter-exchange': 'x' };
    const operator = { 'max-length': 3, 'message-ttl': 50, expires: 7 };
    const merged = { 'max-length': 3, 'message-ttl': 5, 'dead-letter-exchange': 'x', expires: 7 };
    assert.deepEqual(mergeDefinitions(policy, operator), merged);
  });

  test('go by the operator where it is not about less', () => {
    const policy = { overflow: 'drop-head', 'queue-version': 1 };
    const operator = { overflow: 'reject-publish', 'queue-version': 2 };
    assert.deepEqual(mergeDefinitions(policy, operator), operator);
  });

  test('are what there is, if there is only one', () => {
    assert.deepEqual(mergeDefinitions({ expires: 1 }, undefined), { expires: 1 });
    assert.deepEqual(mergeDefinitions(undefined, { expires: 1 }), { expires: 1 });
    assert.equal(mergeDefinitions(undefined, undefined), undefined);
  });
});
