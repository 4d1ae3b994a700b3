import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { plainOf } from '../plain-table.test.support.js';
import { assertRefused } from '../refusal.test.support.js';
import { bindingRequest } from '../virtual-host.test.support.js';
import { DeduplicationWorld } from './deduplication-world.test.support.js';

const ON = { 'x-message-deduplication': true };
const TYPE = 'x-message-deduplication';

describe('an exchange of the type x-message-deduplication', () => {
  it('gives each key to all that are bound, once', () => {
    const world = new DeduplicationWorld();
    const queues = ['q1', 'q2'].map((name) => world.queue(name));
    world.exchange('x', TYPE, { 'x-cache-size': 10 }, 'q1', 'q2');
    const outcomes = ['a', 'a', 'b', undefined, undefined].map((key) =>
      world.publish('x', 'whatever', key === undefined ? {} : { key }),
    );
    assert.deepEqual(outcomes, ['taken', 'duplicate', 'taken', 'taken', 'taken']);
    for (const queue of queues) assert.equal(queue.messageCount, 4);
    assert.equal(world.duplicates('x'), 1);
  });

  it('goes by the header alone', () => {
    const world = new DeduplicationWorld();
    world.queue('q');
    world.exchange('x', TYPE, { 'x-cache-size': 10 }, 'q');
    for (let i = 0; i < 2; i++) {
      assert.equal(world.publish('x', '', { messageId: 'one' }), 'taken');
    }
  });

  it('gives duplicates to its alternate exchange', () => {
    const world = new DeduplicationWorld();
    world.queue('q');
    const others = world.queue('others');
    world.exchange('x', TYPE, { 'x-cache-size': 10, 'alternate-exchange': 'amq.fanout' }, 'q');
    world.vhost.bindQueue(bindingRequest('amq.fanout', 'others'), {});
    world.publish('x', '', { key: 'a' });
    assert.equal(others.messageCount, 0);
    assert.equal(world.publish('x', '', { key: 'a' }), 'taken');
    assert.equal(others.messageCount, 1);
  });

  it('needs a size, which may be text', () => {
    const world = new DeduplicationWorld();
    const text = "Missing or invalid argument, 'x-cache-size' must be an integer greater than 0";
    const refuses = (args: Parameters<typeof world.exchange>[2]): void =>
      assertRefused(() => world.exchange('x', TYPE, args), 'precondition-failed', text);
    refuses({});
    refuses({ 'x-cache-size': 'foo' });
    refuses({ 'x-cache-size': -1 });
    world.exchange('x', TYPE, { 'x-cache-size': '1' });
    world.queue('q');
    world.vhost.bindQueue(bindingRequest('x', 'q'), {});
    const outcomes = ['a', 'b', 'b', 'a'].map((key) => world.publish('x', '', { key }));
    assert.deepEqual(outcomes, ['taken', 'taken', 'duplicate', 'taken']);
  });
});

describe('an exchange with the argument x-message-deduplication', () => {
  it('routes as its type does, and holds back what it has routed', () => {
    const world = new DeduplicationWorld();
    world.queue('q');
    world.exchange('x', 'topic', { ...ON, 'alternate-exchange': 'amq.fanout' });
    world.vhost.bindQueue(bindingRequest('x', 'q', 'a.*'), {});
    world.queue('others');
    world.vhost.bindQueue(bindingRequest('amq.fanout', 'others'), {});
    assert.equal(world.publish('x', 'a.b', { messageId: '1' }), 'taken');
    assert.equal(world.publish('x', 'a.b', { messageId: '1' }), 'duplicate');
    assert.equal(world.publish('x', 'a.b', { messageId: '2' }), 'taken');
    assert.equal(world.publish('x', 'b', { key: '3' }), 'taken', 'by the alternate exchange');
    assert.equal(world.publish('x', 'b', { key: '3' }), 'duplicate');
  });

  it('remembers 128 keys, and 100,000 if they have a time to live', () => {
    const world = new DeduplicationWorld();
    world.queue('q', { 'x-max-length': 1 });
    world.exchange('few', 'fanout', ON, 'q');
    world.exchange('many', 'fanout', { ...ON, 'x-cache-ttl': 1_000 }, 'q');
    for (const exchange of ['few', 'many']) {
      for (let i = 0; i < 129; i++) world.publish(exchange, '', { key: i });
    }
    assert.equal(world.publish('few', '', { key: 0 }), 'taken');
    assert.equal(world.publish('many', '', { key: 0 }), 'duplicate');
    world.clock.advance(1_000);
    assert.equal(world.publish('many', '', { key: 0 }), 'taken');
  });

  it('does not remember what nobody has taken', () => {
    const world = new DeduplicationWorld();
    world.queue('full', { 'x-max-length': 0, 'x-overflow': 'reject-publish' });
    world.queue('q');
    world.exchange('x', 'direct', ON);
    world.vhost.bindQueue(bindingRequest('x', 'full', 'full'), {});
    const twice = (key: string): string[] => [
      world.publish('x', key, { key }),
      world.publish('x', key, { key }),
    ];
    assert.deepEqual(twice('nowhere'), ['unrouted', 'unrouted']);
    assert.deepEqual(twice('full'), ['refused', 'refused']);
    world.vhost.bindQueue(bindingRequest('x', 'q', 'nowhere'), {});
    assert.deepEqual(twice('nowhere'), ['taken', 'duplicate']);
  });

  it('holds back what comes by another exchange, and nothing else of it', () => {
    const world = new DeduplicationWorld();
    const once = world.queue('once');
    const always = world.queue('always');
    world.exchange('x', 'fanout', ON, 'once');
    world.vhost.bindQueue(bindingRequest('amq.fanout', 'always'), {});
    world.vhost.bindExchange(bindingRequest('amq.fanout', 'x'));
    for (let i = 0; i < 3; i++) {
      assert.equal(world.publish('amq.fanout', 'k', { key: 'a' }), 'taken');
    }
    assert.deepEqual([once.messageCount, always.messageCount], [1, 3]);
  });

  it('lets dead letters pass', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q', { 'x-dead-letter-exchange': 'x' });
    world.exchange('x', 'fanout', ON, 'q');
    world.publish('x', '', { key: 'a' });
    queue.reject(queue.get(false)!.position);
    assert.equal(queue.messageCount, 1);
  });

  it('gives duplicates to its dead-letter exchange, if that is asked for', () => {
    const world = new DeduplicationWorld();
    world.queue('q');
    const dead = world.queue('dead');
    const asked = { ...ON, 'x-deduplication-dead-letter': true };
    const where = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };
    world.exchange('x', 'fanout', { ...asked, ...where }, 'q');
    for (let i = 0; i < 2; i++) world.publish('x', 'k', { key: 'a' });
    assert.equal(dead.messageCount, 1);
    const headers = plainOf(dead.get(true)!.message.headers());
    const death = (headers['x-death'] as Record<string, unknown>[])[0];
    assert.equal(death?.reason, 'duplicate');
    assert.deepEqual([death?.queue, death?.exchange], ['', 'x']);
    const text =
      "Invalid argument, 'x-deduplication-dead-letter' of an exchange needs " +
      "'x-dead-letter-exchange', the name of an exchange for the duplicates";
    assertRefused(() => world.exchange('y', 'fanout', asked), 'precondition-failed', text);
  });

  it('gives a dead letter of a duplicate to nobody if that leads back here', () => {
    const world = new DeduplicationWorld();
    const queue = world.queue('q');
    const back = { 'x-dead-letter-exchange': 'x', 'x-deduplication-dead-letter': true };
    world.exchange('x', 'fanout', { ...ON, ...back }, 'q');
    for (let i = 0; i < 2; i++) world.publish('x', 'k', { key: 'a' });
    assert.equal(queue.messageCount, 1);
    assert.equal(world.duplicates('x'), 2, 'it, and its dead letter');
  });

  it('may get it by a policy, which says more than its arguments do', () => {
    const world = new DeduplicationWorld();
    world.queue('q');
    world.exchange('plain', 'fanout', {}, 'q');
    world.policy('plain', { 'message-deduplication': true });
    const twice = (exchange: string): string[] =>
      ['a', 'b', 'a'].map((key) => world.publish(exchange, '', { key }));
    assert.deepEqual(twice('plain'), ['taken', 'taken', 'duplicate']);
    world.vhost.policies.delete('p');
    assert.deepEqual(twice('plain'), ['taken', 'taken', 'taken']);
    world.exchange('x', TYPE, { 'x-cache-size': 1 }, 'q');
    world.policy('x', { 'x-cache-size': 5 });
    assert.deepEqual(twice('x'), ['taken', 'taken', 'duplicate']);
  });
});
