import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Plain, plainOf } from '../plain-table.test.support.js';
import { assertRefused } from '../refusal.test.support.js';
import { DeduplicationWorld } from './deduplication-world.test.support.js';

const ON = { 'x-message-deduplication': true };

describe('a queue that keeps out what is in it', () => {
  it('takes a key again once its message has gone, whichever way', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', { ...ON, 'x-max-length': 1 });
    const publish = (key: string): number => {
      world.publish('', 'q', { key });
      return queue.messageCount;
    };
    assert.equal(publish('a'), 1);
    assert.equal(publish('a'), 1);
    const taken = queue.get(false)!;
    assert.equal(publish('a'), 0, 'delivered, and still there');
    queue.giveBack(taken.position);
    assert.equal(publish('a'), 1, 'given back');
    queue.acknowledge(queue.get(false)!.position);
    assert.equal(publish('a'), 1, 'acknowledged');
    queue.reject(queue.get(false)!.position);
    assert.equal(publish('a'), 1, 'rejected');
    assert.equal(queue.get(true) !== undefined && publish('a'), 1, 'got without acknowledgement');
    assert.equal(publish('b'), 1, 'dropped to make room');
    assert.equal(publish('a'), 1);
    queue.purge();
    assert.equal(publish('a'), 1, 'purged');
    assert.equal(world.duplicates('q'), 3);
  });

  it('takes a key again when its message has expired', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', { ...ON, 'x-message-ttl': 1_000 });
    world.publish('', 'q', { key: 'a' });
    world.clock.advance(999);
    world.publish('', 'q', { key: 'a' });
    assert.equal(world.duplicates('q'), 1);
    world.clock.advance(1);
    world.publish('', 'q', { key: 'a' });
    assert.equal(world.duplicates('q'), 1);
    assert.equal(queue.messageCount, 1);
  });

  it('tells keys by value and type, however long they are', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', ON);
    const keys = ['42', 42, true, 'true', ['a'], { a: 1 }, 'x'.repeat(300), 'x'.repeat(301), ''];
    for (const key of [...keys, ...keys]) world.publish('', 'q', { key });
    assert.equal(queue.messageCount, keys.length);
  });

  it('lets messages without a key pass', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', ON);
    for (let i = 0; i < 3; i++) world.publish('', 'q', {});
    assert.equal(queue.messageCount, 3);
  });

  it('goes by message_id where there is no header, unless a header is named', () => {
    const world = new DeduplicationWorld();
    const usual = world.queue('usual', ON);
    const named = world.queue('named', { ...ON, 'x-deduplication-header': 'order' });
    for (const queue of ['usual', 'named']) {
      for (let i = 0; i < 2; i++) world.publish('', queue, { messageId: 'one' });
      for (let i = 0; i < 2; i++) world.publish('', queue, { headers: { order: 1 } });
    }
    assert.equal(usual.messageCount, 3, 'two without a key');
    assert.equal(named.messageCount, 3, 'two without a key');
    world.publish('', 'usual', { messageId: 'one', key: 'header first' });
    assert.equal(usual.messageCount, 4);
  });
});

describe('a queue with a window', () => {
  it('remembers keys after their messages have gone, the oldest going first', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', { ...ON, 'x-cache-size': 2 });
    const takes = (key: string): boolean => {
      world.publish('', 'q', { key });
      return queue.get(true) !== undefined;
    };
    assert.deepEqual(['a', 'b', 'a', 'b', 'c', 'b', 'a', 'b'].map(takes), [
      ...[true, true, false, false],
      ...[true, false, true, true],
    ]);
  });

  it('forgets a key when its time is up, which a message may set', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', { ...ON, 'x-cache-ttl': 1_000 });
    const publish = (key: string, headers = {}): void => {
      world.publish('', 'q', { key, headers });
    };
    publish('a');
    publish('b', { 'x-cache-ttl': 500 });
    world.clock.advance(499);
    publish('b');
    assert.equal(queue.messageCount, 2);
    world.clock.advance(1);
    publish('b');
    assert.equal(queue.messageCount, 3);
    world.clock.advance(499);
    publish('a');
    assert.equal(queue.messageCount, 3, 'a duplicate does not lengthen the time');
    world.clock.advance(1);
    publish('a');
    assert.equal(queue.messageCount, 4);
    assert.equal(queue.deduplication?.size, 2);
    world.clock.advance(1_000);
    assert.equal(queue.deduplication?.size, 0, 'forgotten without being asked');
    assert.equal(world.clock.timers, 0);
  });

  it('does not remember what it has refused', () => {
    const world = new DeduplicationWorld();
    const args = { 'x-max-length': 1, 'x-overflow': 'reject-publish', 'x-cache-size': 10 };
    const queue = world.queue('q', { ...ON, ...args });
    assert.equal(world.publish('', 'q', { key: 'a' }), 'taken');
    assert.equal(world.publish('', 'q', { key: 'b' }), 'refused');
    assert.equal(world.publish('', 'q', { key: 'a' }), 'taken', 'a duplicate is not refused');
    queue.get(true);
    world.publish('', 'q', { key: 'b' });
    assert.equal(queue.messageCount, 1);
  });

  it('takes back what has died in it', () => {
    const world = new DeduplicationWorld();
    const dead = { 'x-dead-letter-exchange': '' };
    const args = { ...dead, 'x-dead-letter-routing-key': 'later', 'x-cache-size': 10 };
    const queue = world.queue('q', { ...ON, ...args });
    const back = { 'x-dead-letter-routing-key': 'q', 'x-message-ttl': 100 };
    world.queue('later', { ...dead, ...back });
    world.publish('', 'q', { key: 'a' });
    for (let tries = 0; tries < 3; tries++) {
      queue.reject(queue.get(false)!.position);
      world.publish('', 'q', { key: 'a' });
      assert.equal(queue.messageCount, 0, 'a duplicate');
      world.clock.advance(100);
      assert.equal(queue.messageCount, 1, 'the same message');
    }
  });

  it('remembers what went straight to a consumer', () => {
    const world = new DeduplicationWorld();
    const window = world.queue('window', { ...ON, 'x-cache-size': 10 });
    const present = world.queue('present', ON);
    for (const [queue, deliveries] of [[window, 1] as const, [present, 2] as const]) {
      const reader = world.consume(queue, { noAck: true });
      for (let i = 0; i < 2; i++) world.publish('', queue.name, { key: 'a' });
      assert.equal(reader.deliveries.length, deliveries, queue.name);
    }
  });
});

describe('what becomes of duplicates in a queue', () => {
  it('they go to the dead-letter exchange, if that is asked for', () => {
    const world = new DeduplicationWorld();
    const dead = world.queue('dead');
    const where = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    world.queue('silent', { ...ON, ...where });
    world.queue('q', { ...ON, ...where, 'x-deduplication-dead-letter': true });
    for (let i = 0; i < 2; i++) world.publish('', 'silent', { key: 'a' });
    assert.equal(dead.messageCount, 0);
    for (let i = 0; i < 2; i++) world.publish('', 'q', { key: 'a' });
    const headers = plainOf(dead.get(true)!.message.headers());
    assert.equal(headers['x-first-death-reason'], 'duplicate');
    assert.equal(headers['x-first-death-queue'], 'q');
    assert.equal(dead.messageCount, 0);
  });

  it('they go nowhere if that leads back here', () => {
    const world = new DeduplicationWorld();
    const back = { 'x-dead-letter-exchange': '', 'x-deduplication-dead-letter': true };
    const queue = world.queue('q', { ...ON, ...back });
    for (let i = 0; i < 2; i++) world.publish('', 'q', { key: 'a' });
    assert.equal(queue.messageCount, 1);
  });
});

describe('the settings of a queue that keeps duplicates out', () => {
  it('come with a policy and go with it, under names with and without x-', () => {
    for (const key of ['x-message-deduplication', 'message-deduplication']) {
      const world = new DeduplicationWorld();
      const queue = world.queue('q');
      const publish = (): number => {
        world.publish('', 'q', { key: 'a' });
        return queue.messageCount;
      };
      world.policy('q', { [key]: true });
      assert.deepEqual([publish(), publish()], [1, 1]);
      world.vhost.policies.delete('p');
      assert.deepEqual([publish(), publish()], [2, 3]);
    }
  });

  it('change while it keeps its keys', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', { ...ON, 'x-cache-size': 100 });
    for (const key of ['a', 'b', 'c']) world.publish('', 'q', { key });
    world.policy('q', { 'cache-size': 2, 'max-length': 10 });
    for (const key of ['c', 'd', 'c', 'b']) world.publish('', 'q', { key });
    assert.equal(queue.messageCount, 5, 'd, and b, which had to go for it');
    assert.equal(queue.deduplication?.size, 2);
  });

  it('are refused if they make no sense', () => {
    const world = new DeduplicationWorld();
    const refuses = (args: Readonly<Record<string, Plain>>, problem: string): void =>
      assertRefused(
        () => world.queue('q', { ...ON, ...args }),
        'precondition-failed',
        `nvalid argument, ${problem}`.replace(
          /^n/,
          'x-cache-size' in args ? 'Missing or in' : 'In',
        ),
      );
    refuses({ 'x-message-deduplication': 'yes' }, "'x-message-deduplication' must be a boolean");
    refuses({ 'x-cache-size': 0 }, "'x-cache-size' must be an integer greater than 0");
    refuses({ 'x-cache-ttl': 'soon' }, "'x-cache-ttl' must be an integer greater than 0");
    const header = "'x-deduplication-header' must be a string, the name of a header";
    refuses({ 'x-deduplication-header': 1 }, header);
    const persistence = "'x-cache-persistence' must be either 'disk' or 'memory'";
    refuses({ 'x-cache-persistence': 'tape' }, persistence);
  });
});
