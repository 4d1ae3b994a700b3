import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldValue } from '@leveret/amqp';
import { messageFor } from '../message.test.support.js';
import { RecentHistoryRouter } from './recent-history.js';
import type { Destination } from './router.js';
import { bindTo, reached, someDestination } from './routing-fixture.test.support.js';

function router(length?: FieldValue): RecentHistoryRouter {
  return new RecentHistoryRouter(
    new Map(length === undefined ? [] : [['x-recent-history-length', length]]),
  );
}

function history(of: RecentHistoryRouter): string[] {
  return of.history().map(({ routingKey }) => routingKey);
}

describe('x-recent-history', () => {
  test('gives every message to everything bound, whatever the keys', () => {
    const of = router();
    bindTo(of, someDestination('a'), 'one');
    const b = bindTo(of, someDestination('b'), 'other');
    assert.deepEqual(reached(of, 'any'), ['a', 'b']);
    of.remove(b);
    assert.deepEqual(reached(of, 'any'), ['a']);
  });

  test('keeps the last 20 messages, or as many as its argument says, oldest first', () => {
    const usual = router();
    const short = router({ type: 'b', value: 3 });
    for (let i = 0; i < 30; i++) {
      reached(usual, `k${i}`);
      reached(short, `k${i}`);
    }
    assert.deepEqual(
      history(usual),
      Array.from({ length: 20 }, (_, i) => `k${i + 10}`),
    );
    assert.deepEqual(history(short), ['k27', 'k28', 'k29']);
  });

  test('passes on what asks not to be kept, without keeping it', () => {
    const of = router();
    bindTo(of, someDestination('a'));
    const noStore = (value: boolean): { headers: Map<string, FieldValue> } => ({
      headers: new Map([['x-recent-history-no-store', { type: 't', value }]]),
    });
    assert.deepEqual(reached(of, 'secret', noStore(true)), ['a']);
    assert.deepEqual(reached(of, 'open', noStore(false)), ['a']);
    assert.deepEqual(history(of), ['open']);
  });

  test('holds what it keeps, and lets go of what it forgets', () => {
    const of = router({ type: 'I', value: 2 });
    const messages = ['1', '2', '3'].map((key) => messageFor(key));
    for (const message of messages) of.route('', message, new Set<Destination>());
    const holders = (): unknown[] => messages.map(({ kept }) => kept?.holders);
    assert.deepEqual(holders(), [0, 1, 1]);
    of.end();
    assert.deepEqual(holders(), [0, 0, 0]);
  });

  test('refuses a length that is no positive integer', () => {
    const cases: [FieldValue, string][] = [
      [{ type: 'b', value: 0 }, '0'],
      [{ type: 'l', value: -1n }, '-1'],
      [{ type: 'S', value: 'abc' }, '<<"abc">>'],
      [{ type: 't', value: true }, 'true'],
    ];
    for (const [length, printed] of cases) {
      const rule = "'x-recent-history-length' must be a positive integer";
      const message = `Invalid argument ${printed}, ${rule}`;
      assert.throws(() => router(length), { message });
    }
  });
});
