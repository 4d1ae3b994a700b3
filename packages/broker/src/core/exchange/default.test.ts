import assert from 'node:assert/strict';
import { test } from 'node:test';
import { messageFor } from '../message.test.support.js';
import type { Queue } from '../queue/queue.js';
import { newVirtualHost } from '../virtual-host.test.support.js';
import { DefaultRouter } from './default.js';
import type { Destination } from './router.js';

function newQueue(name: string): Queue {
  const spec = {
    name,
    number: 0,
    durable: false,
    autoDelete: false,
    owner: undefined,
    arguments: new Map(),
    maxPriority: 0,
  };
  return newVirtualHost().queues.restore(spec);
}

function routed(router: DefaultRouter, routingKey: string): Destination[] {
  const into = new Set<Destination>();
  router.route(routingKey, messageFor(routingKey), into);
  return [...into];
}

test('every queue is found by its name for as long as it is there', () => {
  const queues = new Map<string, Queue>();
  const router = new DefaultRouter(queues);
  assert.deepEqual(routed(router, 'q'), []);
  const queue = newQueue('q');
  queues.set('q', queue);
  assert.equal(routed(router, 'q')[0], queue);
  assert.deepEqual(routed(router, ''), []);
  queues.delete('q');
  assert.deepEqual(routed(router, 'q'), []);
});
