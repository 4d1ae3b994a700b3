import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldValue } from '@leveret/amqp';
import { TestMessage } from '../message.test.support.js';
import { assertRefused } from '../refusal.test.support.js';
import { bindingRequest } from '../virtual-host.test.support.js';
import { DelayWorld } from './delay-world.test.support.js';

describe('an exchange that delays', () => {
  test('delivers in order of time, and of the same time in order of publishing', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const queue = world.queue('q', 'x');
    for (const [label, delay] of [
      ['a', 500],
      ['b', 100],
      ['c', 300],
      ['d', 100],
      ['e', 5_000],
    ] as const) {
      assert.equal(world.publish('x', label, delay), 1);
    }
    world.clock.advance(1);
    world.publish('x', 'f', 99);
    world.clock.advance(98);
    assert.deepEqual(world.drain(queue), []);
    world.clock.advance(1);
    assert.deepEqual(world.drain(queue), ['b', 'd', 'f']);
    world.clock.advance(4_899);
    assert.deepEqual(world.drain(queue), ['c', 'a']);
    world.clock.advance(1);
    assert.deepEqual(world.drain(queue), ['e']);
    assert.equal(world.clock.timers, 0);
  });

  test('passes on at once what asks for no delay, or has had it', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const queue = world.queue('q', 'x');
    world.publish('x', 'none');
    world.publish('x', 'zero', 0);
    world.publish('x', 'negative', -5_000);
    world.publish('x', 'past', { 'x-deliver-at': { type: 'T', value: 1_600_000_000n } });
    assert.deepEqual(world.drain(queue), ['none', 'zero', 'negative', 'past']);
    assert.equal(world.pending('x'), 0);
  });

  test('delivers at a time of day', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const queue = world.queue('q', 'x');
    world.publish('x', 'a', { 'x-deliver-at': { type: 'T', value: 1_700_000_002n } });
    world.publish('x', 'b', { 'x-deliver-at': { type: 'l', value: 1_700_000_001_500n } });
    world.clock.advance(1_999);
    assert.deepEqual(world.drain(queue), ['b']);
    world.clock.advance(1);
    assert.deepEqual(world.drain(queue), ['a']);
  });

  test('routes by what is bound when the time comes', () => {
    const world = new DelayWorld();
    world.delayed('x', 'topic');
    world.publish('x', 'a', 100, 'a.b');
    world.publish('x', 'lost', 100, 'b.b');
    const queue = world.queue('q', 'x', 'a.*');
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['a']);
  });

  test('gives a message its time to live when it is delivered', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const queue = world.queue('q', 'x');
    const headers = new Map<string, FieldValue>([['x-delay', { type: 'I', value: 1_000 }]]);
    const message = new TestMessage('a', headers, false, '50');
    message.exchange = 'x';
    message.routingKey = 'k';
    world.send(message);
    world.clock.advance(1_049);
    assert.equal(queue.messageCount, 1);
    world.clock.advance(1);
    assert.equal(queue.messageCount, 0);
  });

  test('keeps the routing keys of CC and BCC', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const queues = ['k', 'cc', 'bcc'].map((key) => world.queue(key, 'x', key));
    const copies: FieldValue = { type: 'A', value: [{ type: 'S', value: 'cc' }] };
    const headers = new Map<string, FieldValue>([
      ['x-delay', { type: 'I', value: 100 }],
      ['CC', copies],
    ]);
    const message = new TestMessage('a', headers);
    message.exchange = 'x';
    message.routingKey = 'k';
    message.extraRoutingKeys = ['cc', 'bcc'];
    world.send(message);
    world.clock.advance(100);
    for (const queue of queues) {
      const taken = queue.get(true);
      const delayed: FieldValue = { type: 'I', value: -100 };
      assert.deepEqual(taken?.message.headers(), new Map([...headers, ['x-delay', delayed]]));
    }
  });

  test('delivers a confirmed message to a queue that is full by then', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const args = { 'x-max-length': 1, 'x-overflow': 'reject-publish' };
    const queue = world.queue('q', 'x', 'k', args);
    world.publish('x', 'a', 100);
    world.publish('x', 'b');
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['b', 'a']);
  });

  test('takes what it keeps with it when it is deleted', () => {
    const world = new DelayWorld();
    world.delayed('x');
    const queue = world.queue('q', 'x');
    world.publish('x', 'a', 100);
    world.vhost.exchanges.delete('x', false);
    assert.equal(world.clock.timers, 0);
    world.delayed('x');
    world.vhost.bindQueue(bindingRequest('x', 'q', 'k'), {});
    world.clock.advance(100);
    assert.equal(queue.messageCount, 0);
  });

  test('refuses a delay that is none, and delays nothing then', () => {
    const world = new DelayWorld();
    world.delayed('x');
    assertRefused(
      () => world.publish('x', 'a', { 'x-delay': { type: 'S', value: 'soon' } }),
      'precondition-failed',
      `invalid header 'x-delay': <<"soon">> is no number of milliseconds`,
    );
  });
});

describe('delaying goes on', () => {
  test('where one exchange is bound to another', () => {
    const world = new DelayWorld();
    world.exchange('plain', 'fanout');
    world.delayed('x');
    const direct = world.queue('direct', 'plain');
    const delayed = world.queue('delayed', 'x');
    world.vhost.bindExchange(bindingRequest('plain', 'x'));
    world.publish('plain', 'a', 100);
    // Routes are remembered by key, but not of a message that another may differ from.
    world.publish('plain', 'b');
    world.publish('plain', 'c', { 'x-delay': { type: 'S', value: 'soon' } });
    assert.deepEqual(world.drain(direct), ['a', 'b', 'c']);
    assert.deepEqual(world.drain(delayed), ['b', 'c']);
    world.clock.advance(100);
    assert.deepEqual(world.drain(delayed), ['a']);
  });

  test('only once on the way', () => {
    const world = new DelayWorld();
    world.delayed('first', 'fanout');
    world.delayed('second', 'fanout');
    world.vhost.bindExchange(bindingRequest('first', 'second'));
    const queue = world.queue('q', 'second');
    world.publish('first', 'a', 100);
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['a']);
  });

  test('with the argument x-delayed-exchange', () => {
    const world = new DelayWorld();
    world.exchange('x', 'direct', { 'x-delayed-exchange': true });
    const queue = world.queue('q', 'x');
    world.publish('x', 'a', 100);
    assert.equal(queue.messageCount, 0);
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['a']);
  });

  test('with a policy, for as long as there is one; what waits keeps its time', () => {
    const world = new DelayWorld();
    world.exchange('x', 'direct');
    const queue = world.queue('q', 'x');
    world.publish('x', 'before', 100);
    const definition = { 'delayed-message': true };
    world.vhost.policies.set({ name: 'p', pattern: '^x$', applyTo: 'exchanges', definition });
    world.publish('x', 'during', 100);
    world.vhost.policies.delete('p');
    world.publish('x', 'after', 100);
    assert.deepEqual(world.drain(queue), ['before', 'after']);
    world.clock.advance(100);
    assert.deepEqual(world.drain(queue), ['during']);
  });
});

describe('an exchange of the type x-delayed-message', () => {
  test('says which type it routes as', () => {
    const world = new DelayWorld();
    const cases = [
      [{}, "Invalid argument, 'x-delayed-type' must be an existing exchange type"],
      [
        { 'x-delayed-type': 5 },
        "Invalid argument, 'x-delayed-type' must be an existing exchange type",
      ],
      [
        { 'x-delayed-type': 'x-delayed-message' },
        "Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'",
      ],
      [{ 'x-delayed-type': 'nonsense' }, "unknown exchange type 'nonsense'"],
    ] as const;
    for (const [args, text] of cases) {
      const declare = (): void => world.exchange('x', 'x-delayed-message', args);
      assertRefused(declare, 'precondition-failed', text);
    }
  });

  test('may be declared again, but not as another', () => {
    const world = new DelayWorld();
    world.delayed('x');
    world.delayed('x');
    assertRefused(
      () => world.exchange('x', 'direct'),
      'precondition-failed',
      "inequivalent arg 'type' for exchange 'x' in vhost '/': received 'direct' but current is " +
        "'x-delayed-message'",
    );
    world.exchange('y', 'direct');
    assertRefused(
      () => world.exchange('y', 'direct', { 'x-delayed-exchange': true }),
      'precondition-failed',
      "inequivalent arg 'x-delayed-exchange' for exchange 'y' in vhost '/': received the value " +
        "'true' of type 'bool' but current is none",
    );
  });
});
