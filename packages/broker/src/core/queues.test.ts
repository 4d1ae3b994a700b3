import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Consumer } from './consumer.js';
import { messageFor } from './message.test.support.js';
import type { Queue } from './queue/queue.js';
import { assertRefused } from './refusal.test.support.js';
import type { VirtualHost } from './virtual-host.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from './virtual-host.test.support.js';

const OTHER = {};
const ALWAYS = { ifUnused: false, ifEmpty: false };

function locked(name: string): string {
  return (
    `cannot obtain exclusive access to locked queue '${name}' in vhost '/'. ` +
    'It could be originally declared on another connection or the exclusive property value ' +
    'does not match that of the original declaration.'
  );
}

function newConsumerOn(queue: Queue): { readonly cancel: () => void; wasCancelled: boolean } {
  const state = { cancel: (): void => {}, wasCancelled: false };
  const sink = {
    canTake: () => true,
    deliver: () => {},
    cancelled: () => {
      state.wasCancelled = true;
    },
  };
  const spec = {
    tag: 'c',
    noAck: true,
    exclusive: false,
    prefetchCount: 0,
    timeoutMilliseconds: undefined,
    priority: 0,
    arguments: new Map(),
  };
  const consumer = new Consumer(spec, queue, sink);
  queue.add(consumer, '/');
  state.cancel = () => queue.cancel(consumer);
  return state;
}

function queueOf(vhost: VirtualHost, name: string, exclusive = false): Queue {
  return vhost.queues.declare(queueRequest(name, { exclusive }), CONNECTION);
}

test('a queue declared again is the same queue, if everything is the same', () => {
  const { queues } = newVirtualHost();
  const queue = queues.declare(queueRequest('q', { durable: true }), CONNECTION);
  assert.equal(queues.declare(queueRequest('q', { durable: true }), OTHER), queue);
  assert.equal(queues.declare(queueRequest('q\r\n', { durable: true }), OTHER), queue);
  const inequivalent = (property: string, received: boolean): string =>
    `inequivalent arg '${property}' for queue 'q' in vhost '/': ` +
    `received '${received}' but current is '${!received}'`;
  assertRefused(
    () => queues.declare(queueRequest('q'), OTHER),
    'precondition-failed',
    inequivalent('durable', false),
  );
  assertRefused(
    () => queues.declare(queueRequest('q', { durable: true, autoDelete: true }), OTHER),
    'precondition-failed',
    inequivalent('auto_delete', true),
  );
});

test('an exclusive queue is its connection’s alone, and never durable', () => {
  const { queues } = newVirtualHost();
  const queue = queues.declare(queueRequest('q', { exclusive: true, durable: true }), CONNECTION);
  assert.equal(queue.spec.durable, false);
  for (const durable of [true, false]) {
    const request = queueRequest('q', { exclusive: true, durable });
    assert.equal(queues.declare(request, CONNECTION), queue);
    assertRefused(() => queues.declare(request, OTHER), 'resource-locked', locked('q'));
  }
  const shared = queueRequest('q');
  assertRefused(() => queues.declare(shared, CONNECTION), 'resource-locked', locked('q'));
  assertRefused(() => queues.requireAccess('q', OTHER), 'resource-locked', locked('q'));
  assertRefused(() => queues.delete('q', OTHER, ALWAYS), 'resource-locked', locked('q'));
  assert.equal(queues.requireAccess('q', CONNECTION), queue);
});

test('the exclusive queues of a connection go with it, bindings and all', () => {
  const vhost = newVirtualHost();
  queueOf(vhost, 'mine', true);
  queueOf(vhost, 'everybody’s');
  vhost.queues.declare(queueRequest('theirs', { exclusive: true }), OTHER);
  vhost.bindQueue(bindingRequest('amq.fanout', 'mine'), CONNECTION);
  vhost.queues.deleteExclusive(CONNECTION);
  assert.deepEqual(
    [...vhost.queues.all()].map((queue) => queue.name),
    ['everybody’s', 'theirs'],
  );
  assert.equal(vhost.exchanges.require('amq.fanout').hasBindings, false);
});

test('the broker makes up names, and takes none of its own kind', () => {
  const { queues } = newVirtualHost();
  const first = queues.declare(queueRequest(''), CONNECTION).name;
  const second = queues.declare(queueRequest(''), CONNECTION).name;
  assert.match(first, /^amq\.gen-[A-Za-z0-9_-]{22}$/);
  assert.notEqual(first, second);
  for (const name of ['amq.mine', first]) {
    const text = `queue name '${name}' contains reserved prefix 'amq.*'`;
    assertRefused(() => queues.declare(queueRequest(name), CONNECTION), 'access-refused', text);
  }
});

test('a queue that cannot be is not there afterwards', () => {
  const { queues } = newVirtualHost();
  const request = queueRequest('q', {
    arguments: new Map([['x-max-length', { type: 'S', value: '5' }]]),
  });
  assertRefused(
    () => queues.declare(request, CONNECTION),
    'precondition-failed',
    `invalid arg 'x-max-length' for queue 'q' in vhost '/': "expected integer, got longstr"`,
  );
  assertRefused(() => queues.require('q'), 'not-found', "no queue 'q' in vhost '/'");
});

test('what a quorum queue may not be', () => {
  const { queues } = newVirtualHost();
  const args = new Map([['x-queue-type', { type: 'S', value: 'quorum' } as const]]);
  const cases = [
    [{ exclusive: true, durable: true }, 'exclusive-owner'],
    [{ autoDelete: true, durable: true }, 'auto-delete'],
    [{ durable: false }, 'non-durable'],
  ] as const;
  for (const [differing, property] of cases) {
    assertRefused(
      () => queues.declare(queueRequest('q', { ...differing, arguments: args }), CONNECTION),
      'precondition-failed',
      `invalid property '${property}' for queue 'q' in vhost '/'`,
    );
  }
  assertRefused(
    () => queues.declare(queueRequest('', { durable: true, arguments: args }), CONNECTION),
    'precondition-failed',
    'Cannot declare a server-named queue for type rabbit_quorum_queue',
  );
  queues.declare(queueRequest('q', { durable: true, arguments: args }), CONNECTION);
});

test('deleting takes conditions, and tells how many messages were ready', () => {
  const vhost = newVirtualHost();
  const queue = queueOf(vhost, 'q');
  assert.equal(vhost.queues.delete('none', CONNECTION, ALWAYS), 0);
  queue.publish(messageFor('q'));
  queue.publish(messageFor('q'));
  assertRefused(
    () => vhost.queues.delete('q', CONNECTION, { ifUnused: true, ifEmpty: true }),
    'precondition-failed',
    "queue 'q' in vhost '/' not empty",
  );
  queue.get(false);
  assert.equal(vhost.queues.delete('q', CONNECTION, { ifUnused: true, ifEmpty: false }), 1);
  const used = queueOf(vhost, 'used');
  const consumer = newConsumerOn(used);
  assertRefused(
    () => vhost.queues.delete('used', CONNECTION, { ifUnused: true, ifEmpty: true }),
    'precondition-failed',
    "queue 'used' in vhost '/' in use",
  );
  vhost.queues.delete('used', CONNECTION, ALWAYS);
  assert.equal(consumer.wasCancelled, true);
  assert.equal(vhost.queues.get('used'), undefined);
});

test('an auto-delete queue goes with its last consumer, and what was bound to it alone', () => {
  const vhost = newVirtualHost();
  vhost.exchanges.declare(exchangeSpec('x', 'fanout', { autoDelete: true }));
  const queue = vhost.queues.declare(queueRequest('q', { autoDelete: true }), CONNECTION);
  vhost.bindQueue(bindingRequest('x', 'q'), CONNECTION);
  const first = newConsumerOn(queue);
  const second = newConsumerOn(queue);
  first.cancel();
  assert.equal(vhost.queues.get('q'), queue);
  second.cancel();
  assert.equal(vhost.queues.get('q'), undefined);
  assert.equal(vhost.exchanges.get('x'), undefined, 'it went with its last binding');
});

test('a queue of the same name is another queue: what was bound and held is gone', () => {
  const vhost = newVirtualHost();
  const queue = queueOf(vhost, 'q');
  vhost.bindQueue(bindingRequest('amq.fanout', 'q'), CONNECTION);
  queue.publish(messageFor('q'));
  vhost.queues.delete('q', CONNECTION, ALWAYS);
  const next = queueOf(vhost, 'q');
  assert.notEqual(next, queue);
  assert.equal(next.messageCount, 0);
  assert.equal(next.sources.size, 0);
  const fanout = vhost.exchanges.require('amq.fanout');
  assert.equal(vhost.route(fanout, messageFor('k')).length, 0);
});
