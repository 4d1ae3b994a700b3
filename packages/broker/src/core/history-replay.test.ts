import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { messageFor } from './message.test.support.js';
import type { VirtualHost } from './virtual-host.js';
import {
  CONNECTION,
  exchangeSpec,
  queueRequest,
  bindingRequest as request,
  newVirtualHost as vhost,
} from './virtual-host.test.support.js';

function declare(on: VirtualHost, name: string, type: string): void {
  on.exchanges.declare(exchangeSpec(name, type));
}

function declareQueue(on: VirtualHost, name: string): void {
  on.queues.declare(queueRequest(name), CONNECTION);
}

function publish(on: VirtualHost, exchange: string, routingKey: string): void {
  const message = messageFor(routingKey);
  for (const queue of on.route(on.publishable(exchange), message)) queue.publish(message);
}

/** The routing keys of what lies in a queue. */
function content(on: VirtualHost, queue: string): string[] {
  const keys: string[] = [];
  on.queues.require(queue).forEachMessage(({ routingKey }) => keys.push(routingKey));
  return keys;
}

describe('binding to an exchange with a history', () => {
  test('gives a queue what was published before, once', () => {
    const on = vhost();
    declare(on, 'recent', 'x-recent-history');
    for (const key of ['a', 'b']) publish(on, 'recent', key);
    declareQueue(on, 'q');
    on.bindQueue(request('recent', 'q'), CONNECTION);
    on.bindQueue(request('recent', 'q'), CONNECTION);
    publish(on, 'recent', 'c');
    assert.deepEqual(content(on, 'q'), ['a', 'b', 'c']);
  });

  test('sends it through an exchange that is bound, which may keep it itself', () => {
    const on = vhost();
    for (const name of ['first', 'second']) declare(on, name, 'x-recent-history');
    declare(on, 'topic', 'topic');
    declareQueue(on, 'q');
    on.bindQueue(request('topic', 'q', 'a.*'), CONNECTION);
    for (const key of ['a.b', 'b.a', 'a.c']) publish(on, 'first', key);
    on.bindExchange(request('first', 'second'));
    on.bindExchange(request('second', 'topic'));
    assert.deepEqual(content(on, 'q'), ['a.b', 'a.c']);
  });

  test('an exchange bound to itself replays no more than it had', () => {
    const on = vhost();
    declare(on, 'recent', 'x-recent-history');
    declareQueue(on, 'q');
    publish(on, 'recent', 'a');
    on.bindExchange(request('recent', 'recent'));
    on.bindQueue(request('recent', 'q'), CONNECTION);
    assert.deepEqual(content(on, 'q'), ['a', 'a']);
  });
});

test('a type that does not go by routing key is asked once for a message with several', () => {
  const on = vhost();
  declare(on, 'any', 'x-random');
  for (const name of ['a', 'b', 'c', 'd']) {
    declareQueue(on, name);
    on.bindQueue(request('any', name), CONNECTION);
  }
  const message = messageFor('k');
  message.extraRoutingKeys = ['x', 'y', 'z'];
  for (let i = 0; i < 50; i++) assert.equal(on.route(on.publishable('any'), message).length, 1);
});
