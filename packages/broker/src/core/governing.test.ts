import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import { Deadlines } from '../base/deadlines.js';
import { ManualClock } from '../base/manual-clock.test.support.js';
import { systemRandom } from '../base/random.js';
import { messageFor } from './message.test.support.js';
import { InMemory, type Persistence } from './persistence.js';
import { TOPOLOGY_LIMITS, TopologyQuotas } from './quotas/topology-quotas.js';
import type { TopologyChange } from './topology.js';
import { VirtualHost } from './virtual-host.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from './virtual-host.test.support.js';

function table(entries: Record<string, FieldValue>): FieldTable {
  return new Map(Object.entries(entries));
}

function integer(value: number): FieldValue {
  return { type: 'I', value };
}

function publish(on: VirtualHost, exchange: string, routingKey: string): void {
  const message = messageFor(routingKey);
  for (const queue of on.route(on.exchanges.require(exchange), message)) queue.publish(message);
}

/** The lengths of queues. */
function counts(on: VirtualHost, ...queues: string[]): number[] {
  return queues.map((queue) => on.queues.require(queue).messageCount);
}

describe('a policy on queues', () => {
  test('holds for those that are there, those to come, and no others', () => {
    const on = newVirtualHost();
    on.queues.declare(queueRequest('a-old'), CONNECTION);
    on.policies.set({ name: 'p', pattern: '^a', definition: { 'max-length': 2 } });
    on.queues.declare(queueRequest('a-new'), CONNECTION);
    on.queues.declare(queueRequest('b'), CONNECTION);
    for (const queue of ['a-old', 'a-new', 'b']) {
      for (const label of ['1', '2', '3']) on.queues.require(queue).publish(messageFor(label));
    }
    assert.deepEqual(counts(on, 'a-old', 'a-new', 'b'), [2, 2, 3]);
  });

  test('holds at once when it comes, changes, and no longer when it has gone', () => {
    const on = newVirtualHost();
    const queue = on.queues.declare(queueRequest('q'), CONNECTION);
    const set = (length: number): void =>
      on.policies.set({ name: 'p', pattern: '', definition: { 'max-length': length } });
    for (const label of ['1', '2', '3', '4', '5']) queue.publish(messageFor(label));
    set(3);
    assert.equal(queue.messageCount, 3);
    set(1);
    assert.equal(queue.messageCount, 1);
    on.policies.delete('p');
    queue.publish(messageFor('6'));
    assert.equal(queue.messageCount, 2);
  });

  test('is the one with the highest priority, and nothing of the others', () => {
    const on = newVirtualHost();
    const { settings } = on.queues.declare(queueRequest('q'), CONNECTION);
    assert.equal(settings.maxLength, undefined);
    on.policies.set({ name: 'low', pattern: '', definition: { 'max-length': 1, expires: 9 } });
    const high = { name: 'high', pattern: '', priority: 1, definition: { 'max-length': 5 } };
    on.policies.set(high);
    const now = on.queues.require('q').settings;
    assert.deepEqual([now.maxLength, now.expiresMilliseconds], [5, undefined]);
    assert.equal(on.governing(on.queues.require('q')).policy?.name, 'high');
    on.policies.delete('high');
    const then = on.queues.require('q').settings;
    assert.deepEqual([then.maxLength, then.expiresMilliseconds], [1, 9]);
  });

  test('gives way to an argument, but for limits, of which the smaller holds', () => {
    const on = newVirtualHost();
    const args = table({
      'x-message-ttl': integer(500),
      'x-max-length': integer(5),
      'x-dead-letter-exchange': { type: 'S', value: 'mine' },
    });
    on.policies.set({
      name: 'p',
      pattern: '',
      definition: { 'message-ttl': 50, 'max-length': 50, 'dead-letter-exchange': 'theirs' },
    });
    const { settings } = on.queues.declare(queueRequest('q', { arguments: args }), CONNECTION);
    assert.equal(settings.messageTtlMilliseconds, 50);
    assert.equal(settings.maxLength, 5);
    assert.equal(settings.deadLetterExchange, 'mine');
  });

  test('of an operator limits arguments and policies both', () => {
    const on = newVirtualHost();
    const args = table({ 'x-max-length': integer(50) });
    on.policies.set({ name: 'p', pattern: '', definition: { 'message-ttl': 500 } });
    const definition = { 'max-length': 7, 'message-ttl': 70, 'delivery-limit': 3 };
    on.operatorPolicies.set({ name: 'o', pattern: '', definition });
    const queue = on.queues.declare(queueRequest('q', { arguments: args }), CONNECTION);
    const { maxLength, messageTtlMilliseconds, deliveryLimit } = queue.settings;
    assert.deepEqual([maxLength, messageTtlMilliseconds, deliveryLimit], [7, 70, 3]);
    assert.equal(on.governing(queue).operatorPolicy?.name, 'o');
    on.operatorPolicies.delete('o');
    assert.equal(queue.settings.maxLength, 50);
    assert.equal(queue.settings.messageTtlMilliseconds, 500);
  });

  test('with an expiry takes the queue away, and leaves it when it is lifted in time', () => {
    const clock = new ManualClock();
    const on = newVirtualHost(clock);
    for (const name of ['a', 'b']) on.queues.declare(queueRequest(name), CONNECTION);
    on.policies.set({ name: 'a', pattern: 'a', definition: { expires: 1_000 } });
    on.policies.set({ name: 'b', pattern: 'b', definition: { expires: 1_000 } });
    clock.advance(900);
    on.policies.delete('b');
    clock.advance(200);
    assert.deepEqual(
      [...on.queues.all()].map(({ name }) => name),
      ['b'],
    );
  });

  test('by type of queue goes by x-queue-type', () => {
    const on = newVirtualHost();
    const quorum = table({ 'x-queue-type': { type: 'S', value: 'quorum' } });
    const requests = [queueRequest('c'), queueRequest('q', { durable: true, arguments: quorum })];
    for (const request of requests) on.queues.declare(request, CONNECTION);
    const definition = { 'max-length': 1 };
    on.policies.set({ name: 'p', pattern: '', applyTo: 'quorum_queues', definition });
    assert.equal(on.queues.require('c').settings.maxLength, undefined);
    assert.equal(on.queues.require('q').settings.maxLength, 1);
  });
});

describe('a policy on exchanges', () => {
  /** An exchange nothing is bound to, and queues behind two others. */
  function world(args: FieldTable = new Map()): VirtualHost {
    const on = newVirtualHost();
    on.exchanges.declare(exchangeSpec('x', 'direct', { arguments: args }));
    for (const name of ['one', 'two']) {
      on.exchanges.declare(exchangeSpec(name, 'fanout'));
      on.queues.declare(queueRequest(`q-${name}`), CONNECTION);
      on.bindQueue(bindingRequest(name, `q-${name}`), CONNECTION);
    }
    return on;
  }

  function alternate(on: VirtualHost, to: string): void {
    const definition = { 'alternate-exchange': to };
    on.policies.set({ name: 'p', pattern: '^x$', applyTo: 'exchanges', definition });
  }

  test('gives an alternate exchange, takes another, and takes it away', () => {
    const on = world();
    publish(on, 'x', 'k');
    alternate(on, 'one');
    publish(on, 'x', 'k');
    alternate(on, 'two');
    publish(on, 'x', 'k');
    publish(on, 'x', 'k');
    on.policies.delete('p');
    publish(on, 'x', 'k');
    assert.deepEqual(counts(on, 'q-one', 'q-two'), [1, 2]);
  });

  test('gives way to the argument', () => {
    const on = world(table({ 'alternate-exchange': { type: 'S', value: 'one' } }));
    alternate(on, 'two');
    publish(on, 'x', 'k');
    assert.deepEqual(counts(on, 'q-one', 'q-two'), [1, 0]);
    assert.equal(on.exchanges.require('x').policy?.name, 'p');
  });

  test('governs those declared later, and predeclared ones, but never the default exchange', () => {
    const on = world();
    const definition = { 'alternate-exchange': 'one' };
    on.policies.set({ name: 'p', pattern: '', definition });
    on.exchanges.declare(exchangeSpec('later', 'direct'));
    for (const exchange of ['later', 'amq.direct', '']) publish(on, exchange, 'k');
    assert.deepEqual(counts(on, 'q-one'), [2]);
  });
});

test('policies are noted, and come back with the rest of the topology', () => {
  const noted: TopologyChange[] = [];
  const persistence: Persistence = Object.assign(new InMemory(), {
    record: (change: TopologyChange) => noted.push(change),
  });
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, () => {});
  const quotas = new TopologyQuotas(TOPOLOGY_LIMITS);
  const ports = { random: systemRandom, clock, deadlines, persistence, quotas };
  const before = new VirtualHost('/', ports);
  before.policies.set({ name: 'p', pattern: '^\u00fc', definition: { 'max-length': 2 } });
  before.policies.set({ name: 'gone', pattern: '', definition: { 'max-length': 1 } });
  before.operatorPolicies.set({ name: 'p', pattern: '', definition: { expires: 5 } });
  before.policies.delete('gone');
  for (const changes of [noted.slice(), [...before.topology()]]) {
    const after = new VirtualHost('/', ports);
    // The journal keeps them as JSON.
    for (const change of changes) after.restore(JSON.parse(JSON.stringify(change)));
    assert.deepEqual(after.policies.list(), before.policies.list());
    assert.deepEqual(after.operatorPolicies.list(), before.operatorPolicies.list());
    assert.equal(after.policies.list().length, 1);
  }
});
