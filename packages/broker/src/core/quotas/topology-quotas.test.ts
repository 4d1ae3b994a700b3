import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FieldTable, toFieldTable } from '@leveret/amqp';
import fc from 'fast-check';
import { ManualClock } from '../../base/manual-clock.test.support.js';
import { Consumer } from '../consumer.js';
import type { VirtualHost } from '../virtual-host.js';
import {
  bindingRequest,
  CONNECTION,
  exchangeSpec,
  newVirtualHost,
  queueRequest,
} from '../virtual-host.test.support.js';
import { TOPOLOGY_LIMITS, TopologyQuotas } from './topology-quotas.js';

const TABLES: readonly FieldTable[] = [
  new Map(),
  toFieldTable({ note: 'x', 'x-match': 'any' }),
  toFieldTable({ deep: { deeper: ['x', 1, true, null] } }),
];

type Step = (vhost: VirtualHost) => void;

const queue = fc.constantFrom('q1', 'q2', 'q3');
const exchange = fc.constantFrom('x1', 'x2', 'amq.topic', 'amq.headers');
const args = fc.constantFrom(...TABLES);
const autoDelete = fc.boolean();
const key = fc.constantFrom('k', 'a.b.c', `many${'.words'.repeat(20)}`);

/** What peers may do; what is refused, because it is not there say, changes nothing. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ queue, args, autoDelete, exclusive: fc.boolean() }).map(
    ({ queue, args, ...rest }): Step =>
      ({ queues }) =>
        queues.declare(queueRequest(queue, { ...rest, arguments: args }), CONNECTION),
  ),
  fc.record({ exchange, args, autoDelete }).map(
    ({ exchange, args, autoDelete }): Step =>
      ({ exchanges }) =>
        exchanges.declare(exchangeSpec(exchange, 'topic', { autoDelete, arguments: args })),
  ),
  fc.record({ exchange, queue, key, args }).map(
    (each): Step =>
      (vhost) =>
        vhost.bindQueue(bindingRequest(each.exchange, each.queue, each.key, each.args), CONNECTION),
  ),
  fc.record({ exchange, queue, key, args }).map(
    (each): Step =>
      (vhost) =>
        vhost.unbindQueue(
          bindingRequest(each.exchange, each.queue, each.key, each.args),
          CONNECTION,
        ),
  ),
  fc.record({ from: exchange, to: exchange, args }).map(
    ({ from, to, args }): Step =>
      (vhost) =>
        vhost.bindExchange(bindingRequest(from, to, 'k', args)),
  ),
  fc.record({ queue, args }).map(
    ({ queue, args }): Step =>
      (vhost) =>
        consume(vhost, queue, args),
  ),
  queue.map(
    (name): Step =>
      ({ queues }) => {
        const unconditional = { ifUnused: false, ifEmpty: false };
        queues.delete(name, CONNECTION, unconditional);
      },
  ),
  exchange.map(
    (name): Step =>
      ({ exchanges }) =>
        exchanges.delete(name, false),
  ),
  fc.constant<Step>(({ queues }) => queues.deleteExclusive(CONNECTION)),
);

function consume(vhost: VirtualHost, name: string, args: FieldTable): void {
  const target = vhost.queues.require(name);
  const spec = { tag: 't', noAck: true, exclusive: false, prefetchCount: 0, priority: 0 };
  const sink = { canTake: () => true, deliver: () => {}, cancelled: () => {} };
  const whole = { ...spec, timeoutMilliseconds: undefined, arguments: args };
  const consumer = new Consumer(whole, target, sink);
  target.add(consumer, vhost.name);
  // Every other one goes again, and an auto-delete queue with it.
  if (target.consumerCount % 2 === 0) target.cancel(consumer);
}

test('what is counted is what there is, whatever has been done', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const quotas = new TopologyQuotas(TOPOLOGY_LIMITS);
      const vhost = newVirtualHost(new ManualClock(), quotas);
      for (const each of steps) {
        try {
          each(vhost);
        } catch (error) {
          assert.equal((error as Error).name, 'Refusal');
        }
      }
      const queues = [...vhost.queues.all()];
      const exchanges = [...vhost.exchanges.all()];
      assert.deepEqual(quotas.counts, {
        queue: queues.length,
        exchange: exchanges.length,
        binding: exchanges.reduce((sum, each) => sum + [...each.bindings()].length, 0),
        consumer: queues.reduce((sum, each) => sum + each.consumerCount, 0),
      });
      vhost.deleteAll();
      assert.deepEqual(quotas.counts, { queue: 0, exchange: 0, binding: 0, consumer: 0 });
      assert.equal(quotas.argumentBytes, 0);
    }),
    { numRuns: 500 },
  );
});

test('what is put back when a broker starts is counted, and never refused', () => {
  const none = { ...TOPOLOGY_LIMITS, queuesMax: 0, exchangesMax: 0, bindingsMax: 0 };
  const before = newVirtualHost();
  before.queues.declare(queueRequest('q', { durable: true }), CONNECTION);
  before.exchanges.declare(exchangeSpec('x', 'fanout', { durable: true }));
  before.bindQueue(bindingRequest('x', 'q'), CONNECTION);
  const quotas = new TopologyQuotas({ ...none, argumentBytesMax: 0 });
  const after = newVirtualHost(new ManualClock(), quotas);
  const { exchange: predeclared } = quotas.counts;
  for (const change of before.topology()) after.restore(change);
  assert.deepEqual(quotas.counts, {
    queue: 1,
    exchange: predeclared + 1,
    binding: 1,
    consumer: 0,
  });
  assert.throws(
    () => after.queues.declare(queueRequest('r'), CONNECTION),
    /limit in cluster \(0\)/,
  );
});
