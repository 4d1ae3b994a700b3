import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RawConnection } from '../wire/raw-connection.js';
import { limitedBroker } from './limited-broker.js';

const WINDOW = { 'x-message-deduplication': true, 'x-cache-size': 100 };
const WHILE_PRESENT = { 'x-message-deduplication': true };

function publish(raw: RawConnection, queue: string, ...keys: readonly string[]): void {
  for (const key of keys) {
    const headers = { 'x-deduplication-header': key };
    raw.publish(1, { routingKey: queue }, key, { headers });
  }
}

describe('as many keys as may be remembered', () => {
  test('a window forgets its oldest for one more, until there is room again', async (t) => {
    const { broker } = await limitedBroker({ deduplicationKeysMax: 3 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'w', arguments: WINDOW });
    await raw.call(1, 'queue.declare', { queue: 'other', arguments: WINDOW });
    publish(raw, 'w', 'a', 'b', 'a', 'b', 'c', 'd', 'a', 'd');
    assert.deepEqual(await raw.drain(1, 'w'), ['a', 'b', 'c', 'd', 'a']);
    // One key it always remembers.
    publish(raw, 'other', 'x', 'x', 'y', 'y', 'x');
    assert.deepEqual(await raw.drain(1, 'other'), ['x', 'y', 'x']);
    await raw.call(1, 'queue.delete', { queue: 'w' });
    publish(raw, 'other', 'a', 'b', 'a', 'b', 'x');
    assert.deepEqual(await raw.drain(1, 'other'), ['a', 'b']);
  });

  test('a queue without a window lets duplicates by, of what it could not remember', async (t) => {
    const { broker } = await limitedBroker({ deduplicationKeysMax: 2 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q', arguments: WHILE_PRESENT });
    publish(raw, 'q', 'a', 'b', 'a', 'b', 'c', 'c');
    assert.deepEqual(await raw.drain(1, 'q'), ['a', 'b', 'c', 'c']);
    publish(raw, 'q', 'c', 'c');
    assert.deepEqual(await raw.drain(1, 'q'), ['c']);
  });
});
