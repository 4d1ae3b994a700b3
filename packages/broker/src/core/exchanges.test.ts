import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable, FieldValue } from '@leveret/amqp';
import { messageFor } from './message.test.support.js';
import { assertRefused } from './refusal.test.support.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from './virtual-host.test.support.js';

const DEFAULT_REFUSED = 'operation not permitted on the default exchange';

function alternate(value: FieldValue): FieldTable {
  return new Map([['alternate-exchange', value]]);
}

test('the exchanges of RabbitMQ are there from the start', () => {
  const { exchanges } = newVirtualHost();
  const found = [...exchanges.all()].map(({ spec }) => [spec.name, spec.type, spec.internal]);
  assert.deepEqual(found, [
    ['', 'direct', false],
    ['amq.direct', 'direct', false],
    ['amq.fanout', 'fanout', false],
    ['amq.topic', 'topic', false],
    ['amq.headers', 'headers', false],
    ['amq.match', 'headers', false],
    ['amq.rabbitmq.trace', 'topic', true],
  ]);
  exchanges.declare(exchangeSpec('amq.topic', 'topic', { durable: true }));
});

test('an exchange declared again must be the same', () => {
  const { exchanges } = newVirtualHost();
  const spec = { durable: true, arguments: alternate({ type: 'S', value: 'a' }) };
  exchanges.declare(exchangeSpec('x', 'topic', spec));
  const first = exchanges.require('x');
  exchanges.declare(exchangeSpec('x\n', 'topic', spec));
  assert.equal(exchanges.require('x'), first);
  const cases = [
    [exchangeSpec('x', 'fanout', spec), 'type', "'fanout' but current is 'topic'"],
    [
      exchangeSpec('x', 'topic', { ...spec, durable: false }),
      'durable',
      "'false' but current is 'true'",
    ],
    [
      exchangeSpec('x', 'topic', { ...spec, autoDelete: true }),
      'auto_delete',
      "'true' but current is 'false'",
    ],
    [
      exchangeSpec('x', 'topic', { ...spec, internal: true }),
      'internal',
      "'true' but current is 'false'",
    ],
    [
      exchangeSpec('x', 'topic', { durable: true }),
      'alternate-exchange',
      "none but current is the value 'a' of type 'longstr'",
    ],
  ] as const;
  for (const [asked, property, difference] of cases) {
    assertRefused(
      () => exchanges.declare(asked),
      'precondition-failed',
      `inequivalent arg '${property}' for exchange 'x' in vhost '/': received ${difference}`,
    );
  }
});

test('exchanges that cannot be', () => {
  const { exchanges } = newVirtualHost();
  assertRefused(
    () => exchanges.declare(exchangeSpec('x', 'x-nothing')),
    'precondition-failed',
    "unknown exchange type 'x-nothing'",
  );
  assertRefused(
    () => exchanges.declare(exchangeSpec('', 'direct')),
    'access-refused',
    DEFAULT_REFUSED,
  );
  assertRefused(
    () => exchanges.declare(exchangeSpec('amq.new', 'direct')),
    'access-refused',
    "exchange name 'amq.new' contains reserved prefix 'amq.*'",
  );
  assertRefused(
    () =>
      exchanges.declare(
        exchangeSpec('x', 'direct', { arguments: alternate({ type: 'I', value: 1 }) }),
      ),
    'precondition-failed',
    "invalid type 'signedint' for arg 'alternate-exchange' in exchange 'x' in vhost '/'",
  );
  assertRefused(() => exchanges.require('x'), 'not-found', "no exchange 'x' in vhost '/'");
  assertRefused(() => exchanges.requireDeclared(''), 'access-refused', DEFAULT_REFUSED);
});

test('deleting: what is not there is fine, what is the broker’s or in use is not', () => {
  const vhost = newVirtualHost();
  const { exchanges } = vhost;
  exchanges.delete('none', true);
  assertRefused(
    () => exchanges.delete('amq.direct', false),
    'access-refused',
    "deletion of system exchange 'amq.direct' in vhost '/' not allowed",
  );
  exchanges.declare(exchangeSpec('x', 'direct'));
  exchanges.declare(exchangeSpec('to', 'direct'));
  vhost.bindExchange(bindingRequest('x', 'to'));
  assertRefused(
    () => exchanges.delete('x', true),
    'precondition-failed',
    "exchange 'x' in vhost '/' in use",
  );
  exchanges.delete('to', true);
  assert.equal(exchanges.require('x').hasBindings, false);
  exchanges.delete('x', true);
  assert.equal(exchanges.get('x'), undefined);
});

test('an auto-delete exchange goes with its last binding, and so may those that led to it', () => {
  const vhost = newVirtualHost();
  for (const name of ['a', 'b', 'c']) {
    vhost.exchanges.declare(exchangeSpec(name, 'fanout', { autoDelete: true }));
  }
  vhost.queues.declare(queueRequest('q'), CONNECTION);
  vhost.bindExchange(bindingRequest('a', 'b'));
  vhost.bindExchange(bindingRequest('b', 'c'));
  vhost.bindExchange(bindingRequest('c', 'b'));
  vhost.bindQueue(bindingRequest('c', 'q'), CONNECTION);
  vhost.unbindExchange(bindingRequest('c', 'b'));
  assert.equal([...vhost.exchanges.all()].length, 7 + 3);
  vhost.unbindQueue(bindingRequest('c', 'q'), CONNECTION);
  assert.equal([...vhost.exchanges.all()].length, 7, 'c, then b, then a');
});

test('an exchange that is bound to itself can be removed', () => {
  const vhost = newVirtualHost();
  vhost.exchanges.declare(exchangeSpec('x', 'fanout', { autoDelete: true }));
  vhost.bindExchange(bindingRequest('x', 'x'));
  vhost.unbindExchange(bindingRequest('x', 'x'));
  assert.equal(vhost.exchanges.get('x'), undefined);
  vhost.exchanges.declare(exchangeSpec('x', 'fanout'));
  vhost.bindExchange(bindingRequest('x', 'x'));
  vhost.exchanges.delete('x', false);
  assert.equal(vhost.exchanges.get('x'), undefined);
});

test('a queue and an exchange of one name are two destinations', () => {
  const vhost = newVirtualHost();
  vhost.exchanges.declare(exchangeSpec('both', 'fanout'));
  const queue = vhost.queues.declare(queueRequest('both'), CONNECTION);
  vhost.bindExchange(bindingRequest('amq.fanout', 'both'));
  vhost.bindQueue(bindingRequest('amq.fanout', 'both'), CONNECTION);
  const fanout = vhost.exchanges.require('amq.fanout');
  assert.equal([...fanout.bindings()].length, 2);
  vhost.unbindExchange(bindingRequest('amq.fanout', 'both'));
  assert.deepEqual(vhost.route(fanout, messageFor('k')), [queue]);
});

test('binding needs both ends, unbinding neither; the default exchange has no bindings', () => {
  const vhost = newVirtualHost();
  vhost.queues.declare(queueRequest('q'), CONNECTION);
  const bind = (source: string, queue: string) => (): void =>
    vhost.bindQueue(bindingRequest(source, queue), CONNECTION);
  assertRefused(bind('none', 'q'), 'not-found', "no exchange 'none' in vhost '/'");
  assertRefused(bind('amq.direct', 'none'), 'not-found', "no queue 'none' in vhost '/'");
  assertRefused(bind('', 'q'), 'access-refused', DEFAULT_REFUSED);
  assertRefused(
    () => vhost.bindExchange(bindingRequest('amq.direct', '')),
    'access-refused',
    DEFAULT_REFUSED,
  );
  assertRefused(
    () => vhost.unbindQueue(bindingRequest('', 'q'), CONNECTION),
    'access-refused',
    DEFAULT_REFUSED,
  );
  vhost.unbindQueue(bindingRequest('none', 'q'), CONNECTION);
  vhost.unbindQueue(bindingRequest('amq.direct', 'none'), CONNECTION);
  vhost.unbindQueue(bindingRequest('amq.direct', 'q', 'never bound'), CONNECTION);
  vhost.unbindExchange(bindingRequest('none', 'nor this'));
});

test('an internal exchange is not for publishers', () => {
  const vhost = newVirtualHost();
  vhost.exchanges.declare(exchangeSpec('x', 'direct', { internal: true }));
  assertRefused(
    () => vhost.publishable('x'),
    'access-refused',
    "cannot publish to internal exchange 'x' in vhost '/'",
  );
  assertRefused(() => vhost.publishable('none'), 'not-found', "no exchange 'none' in vhost '/'");
  assert.equal(vhost.publishable('').name, '');
});
