import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bindingRequest, exchangeSpec, queueRequest } from '../virtual-host.test.support.js';
import { EVENT_EXCHANGE } from './event-exchange.js';
import { reportingWorld } from './reporting.test.support.js';

const GUEST = { name: 'a -> b', user: 'guest' };
const BY_GUEST = { vhost: 'v', user_who_performed_action: 'guest' };
const BY_BROKER = { vhost: 'v', user_who_performed_action: 'rmq-internal' };

describe('the event exchange', () => {
  test('is internal, durable, a topic exchange, and cannot be deleted', () => {
    const { vhost } = reportingWorld();
    const { type, durable, internal } = vhost.exchanges.require(EVENT_EXCHANGE).spec;
    assert.deepEqual([type, durable, internal], ['topic', true, true]);
    assert.throws(() => vhost.exchanges.delete(EVENT_EXCHANGE, false));
    assert.equal([...vhost.topology()].length, 0);
  });

  test('costs nothing while nothing is bound to it', () => {
    const { vhost, events, made, isWaiting } = reportingWorld();
    vhost.queues.declare(queueRequest('q'), GUEST);
    vhost.policies.set({ name: 'p', pattern: '', definition: { 'max-length': 1 } });
    assert.equal(events.isHeard, false);
    assert.equal(isWaiting(), false);
    assert.equal(made.length, 0);
  });

  test('falls silent when the last binding goes', () => {
    const { vhost, events, watch } = reportingWorld();
    const seen = watch(EVENT_EXCHANGE, '#');
    assert.equal(events.isHeard, true);
    const [queue] = vhost.queues.all();
    vhost.unbindQueue(bindingRequest(EVENT_EXCHANGE, queue!.name, '#'), GUEST);
    vhost.queues.declare(queueRequest('q'), GUEST);
    assert.deepEqual(seen(), []);
    assert.equal(events.isHeard, false);
  });

  test('publishes at the end of the turn, with the time it happened at', () => {
    const { vhost, clock, endTurn, watch, made } = reportingWorld();
    const seen = watch(EVENT_EXCHANGE, 'queue.*');
    const before = made.length;
    vhost.queues.declare(queueRequest('q'), GUEST);
    assert.equal(made.length, before);
    clock.advance(1_500);
    endTurn();
    const [event] = seen();
    assert.equal(event?.headers.timestamp_in_ms, 'long 1700000000000');
    assert.equal(made.at(-1)?.properties.timestamp, 1_700_000_000n);
    assert.equal(made.at(-1)?.properties.deliveryMode, 2);
    assert.equal(event?.body, '');
  });

  test('publishes what waits when the broker stops, and nothing after', () => {
    const { vhost, events, watch } = reportingWorld();
    const seen = watch(EVENT_EXCHANGE, 'queue.*');
    vhost.queues.declare(queueRequest('last'), GUEST);
    events.stop();
    vhost.queues.declare(queueRequest('too late'), GUEST);
    assert.deepEqual(
      seen().map(({ headers }) => headers.name),
      ['last'],
    );
  });

  test('tells of queues', () => {
    const { vhost, watch } = reportingWorld();
    const seen = watch(EVENT_EXCHANGE, 'queue.#');
    const args = new Map([['x-max-length', { type: 'b', value: 5 } as const]]);
    vhost.queues.declare(queueRequest('q', { arguments: args, autoDelete: true }), GUEST);
    vhost.queues.declare(queueRequest('q', { arguments: args, autoDelete: true }), GUEST);
    vhost.queues.declare(queueRequest('own', { exclusive: true }), GUEST);
    vhost.queues.delete('q', GUEST, { ifUnused: false, ifEmpty: false });
    vhost.queues.deleteExclusive(GUEST);
    const type = 'rabbit_classic_queue';
    const created = { type, durable: false, ...BY_GUEST };
    assert.deepEqual(timeless(seen()), [
      [
        'queue.created',
        {
          ...created,
          name: 'q',
          auto_delete: true,
          arguments: ['{<<"x-max-length">>,byte,5}'],
          owner_pid: '',
          exclusive: false,
        },
      ],
      [
        'queue.created',
        {
          ...created,
          name: 'own',
          auto_delete: false,
          arguments: [],
          owner_pid: 'a -> b',
          exclusive: true,
        },
      ],
      ['queue.deleted', { name: 'q', type, ...BY_GUEST }],
      ['queue.deleted', { name: 'own', type, ...BY_BROKER }],
    ]);
  });

  test('tells of exchanges and bindings, and whose doing it was', () => {
    const { vhost, watch } = reportingWorld();
    vhost.queues.declare(queueRequest('q'), GUEST);
    const seen = watch(EVENT_EXCHANGE, '#');
    const spec = exchangeSpec('x', 'topic', { autoDelete: true });
    vhost.exchanges.declare(spec, GUEST);
    vhost.bindQueue(bindingRequest('x', 'q', 'k'), GUEST);
    vhost.bindExchange(bindingRequest('x', 'amq.fanout', 'l'), GUEST);
    vhost.unbindExchange(bindingRequest('x', 'amq.fanout', 'l'), GUEST);
    vhost.queues.delete('q', GUEST, { ifUnused: false, ifEmpty: false });
    const binding = { source_name: 'x', source_kind: 'exchange', arguments: [] };
    const toQueue = { destination_name: 'q', destination_kind: 'queue', routing_key: 'k' };
    const toExchange = {
      destination_name: 'amq.fanout',
      destination_kind: 'exchange',
      routing_key: 'l',
    };
    assert.deepEqual(timeless(seen()), [
      [
        'exchange.created',
        {
          name: 'x',
          type: 'topic',
          durable: false,
          auto_delete: true,
          internal: false,
          arguments: [],
          policy: '',
          ...BY_GUEST,
        },
      ],
      ['binding.created', { ...binding, ...toQueue, ...BY_GUEST }],
      ['binding.created', { ...binding, ...toExchange, ...BY_GUEST }],
      ['binding.deleted', { ...binding, ...toExchange, ...BY_GUEST }],
      ['exchange.deleted', { name: 'x', ...BY_BROKER }],
      ['binding.deleted', { ...binding, ...toQueue, ...BY_BROKER }],
      ['queue.deleted', { name: 'q', type: 'rabbit_classic_queue', ...BY_GUEST }],
    ]);
  });

  test('tells of policies, and of the queues they come to govern', () => {
    const { vhost, watch } = reportingWorld();
    vhost.queues.declare(queueRequest('pol-a'), GUEST);
    const seen = watch(EVENT_EXCHANGE, '#');
    const definition = { 'max-length': 5, overflow: 'reject-publish' };
    vhost.policies.set({ name: 'p', pattern: '^pol', applyTo: 'queues', priority: 3, definition });
    vhost.policies.delete('p');
    vhost.operatorPolicies.set({ name: 'o', pattern: '^x', definition: { expires: 1 } });
    vhost.operatorPolicies.delete('o');
    const set = {
      pattern: '^pol',
      definition: { 'max-length': 'long 5', overflow: 'reject-publish' },
      priority: 'long 3',
      'apply-to': 'queues',
      ...BY_BROKER,
    };
    const type = 'rabbit_classic_queue';
    const operator = { pattern: '^x', definition: { expires: 'long 1' } };
    assert.deepEqual(timeless(seen()), [
      ['queue.policy.updated', { name: 'pol-a', type, ...set }],
      ['policy.set', { name: 'p', ...set }],
      ['queue.policy.cleared', { name: 'pol-a', type, ...BY_BROKER }],
      ['policy.cleared', { name: 'p', ...BY_BROKER }],
      [
        'policy.set',
        { name: 'o', ...operator, priority: 'long 0', 'apply-to': 'all', ...BY_BROKER },
      ],
      ['operator.policy.cleared', { name: 'o', ...BY_BROKER }],
    ]);
  });
});

/** Events by key, without the times. */
function timeless(
  seen: readonly { key: string; headers: Record<string, unknown> }[],
): [string, Record<string, unknown>][] {
  return seen.map(({ key, headers: { timestamp_in_ms: _, ...headers } }) => [key, headers]);
}
