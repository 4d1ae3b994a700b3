import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BasicProperties } from '@leveret/amqp';
import { MessageWithProperties } from '../exchange/routing-fixture.test.support.js';
import type { Message } from '../message.js';
import type { Queue } from '../queue/queue.js';
import { CONNECTION, queueRequest } from '../virtual-host.test.support.js';
import { TRACE_EXCHANGE } from './firehose.js';
import { type ReportingWorld, reportingWorld } from './reporting.test.support.js';

const ORIGIN = { connection: 'a -> b', channel: 3, user: 'guest' };
const ORIGIN_HEADERS = {
  vhost: 'v',
  connection: 'a -> b',
  channel: 'signedint 3',
  user: 'guest',
};

function message(properties: BasicProperties = {}): Message {
  const made = new MessageWithProperties('hello', properties);
  made.exchange = 'x';
  made.routingKey = 'k';
  return made;
}

function someQueue({ vhost }: ReportingWorld, name: string): Queue {
  return vhost.queues.declare(queueRequest(name), CONNECTION);
}

describe('the firehose', () => {
  test('is off unless it is turned on', () => {
    const { vhost } = reportingWorld();
    assert.equal(vhost.tracing, false);
    vhost.tracing = true;
    assert.equal(vhost.firehose.isOn, true);
  });

  test('traces a publish, with where it went', () => {
    const world = reportingWorld();
    const seen = world.watch(TRACE_EXCHANGE, 'publish.x');
    const queues = ['q1', 'q2'].map((name) => someQueue(world, name));
    world.vhost.firehose.published(message(), queues, ORIGIN);
    assert.deepEqual(
      seen().map(({ headers, body }) => ({ headers, body })),
      [
        {
          headers: {
            exchange_name: 'x',
            routing_keys: ['k'],
            properties: {},
            node: 'leveret@test',
            ...ORIGIN_HEADERS,
            routed_queues: ['q1', 'q2'],
          },
          body: 'hello',
        },
      ],
    );
  });

  test('tells every property, by the names RabbitMQ gives them', () => {
    const world = reportingWorld();
    const seen = world.watch(TRACE_EXCHANGE, '#');
    const traced = message({
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      headers: new Map([['h', { type: 'b', value: 1 }]]),
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '6000',
      messageId: 'm',
      timestamp: 1_700_000_000n,
      type: 't',
      userId: 'guest',
      appId: 'a',
      clusterId: 'cl',
    });
    world.vhost.firehose.published(traced, [], ORIGIN);
    assert.deepEqual(seen()[0]?.headers.properties, {
      content_type: 'text/plain',
      content_encoding: 'gzip',
      headers: { h: 'byte 1' },
      delivery_mode: 'signedint 2',
      priority: 'signedint 3',
      correlation_id: 'c',
      reply_to: 'r',
      expiration: '6000',
      message_id: 'm',
      timestamp: 'signedint 1700000000',
      type: 't',
      user_id: 'guest',
      app_id: 'a',
      cluster_id: 'cl',
    });
    world.vhost.firehose.published(message({ timestamp: 2n ** 40n }), [], ORIGIN);
    assert.deepEqual(seen()[0]?.headers.properties, { timestamp: `long ${2n ** 40n}` });
  });

  test('traces deliveries, and what becomes of them', () => {
    const world = reportingWorld();
    const { firehose } = world.vhost;
    const seen = world.watch(TRACE_EXCHANGE, '#');
    const queue = someQueue(world, 'q');
    const first = firehose.delivered(queue, message(), false, ORIGIN);
    const second = firehose.delivered(queue, message(), true, ORIGIN);
    firehose.delivered(queue, message(), false, ORIGIN);
    firehose.settled(queue, 'acknowledge', ORIGIN, first);
    firehose.settled(queue, 'requeue', ORIGIN, second);
    firehose.settled(queue, 'discard', ORIGIN);
    const about = { exchange_name: 'x', routing_keys: ['k'], properties: {} };
    const rest = { node: 'leveret@test', ...ORIGIN_HEADERS };
    assert.deepEqual(
      seen().map(({ key, headers, body }) => [key, headers, body]),
      [
        ['deliver.q', { ...about, redelivered: 'signedint 0', ...rest }, 'hello'],
        ['deliver.q', { ...about, redelivered: 'signedint 1', ...rest }, 'hello'],
        ['deliver.q', { ...about, redelivered: 'signedint 0', ...rest }, 'hello'],
        ['ack.q', { ...about, ...rest }, 'hello'],
        ['nack.q', { ...about, requeue: 'signedint 1', ...rest }, 'hello'],
        // What was delivered before the firehose was turned on is not known any more.
        ['nack.q', { requeue: 'signedint 0', ...rest }, ''],
      ],
    );
  });

  test('knows a message by all its routing keys', () => {
    const world = reportingWorld();
    const seen = world.watch(TRACE_EXCHANGE, '#');
    const incoming = message();
    incoming.extraRoutingKeys = ['cc', 'bcc'];
    world.vhost.firehose.published(incoming, [], ORIGIN);
    const copies = { type: 'A', value: [{ type: 'S', value: 'cc' }] } as const;
    const stored = message({ headers: new Map([['CC', copies]]) });
    world.vhost.firehose.delivered(someQueue(world, 'q'), stored, false, ORIGIN);
    const keys = seen().map(({ headers }) => headers.routing_keys);
    assert.deepEqual(keys, [
      ['k', 'cc', 'bcc'],
      ['k', 'cc'],
    ]);
  });

  test('does not trace itself', () => {
    const world = reportingWorld();
    const seen = world.watch(TRACE_EXCHANGE, '#');
    const trace = message();
    trace.exchange = TRACE_EXCHANGE;
    world.vhost.firehose.delivered(someQueue(world, 'q'), trace, false, ORIGIN);
    assert.deepEqual(seen(), []);
  });

  test('publishes when the turn ends, and makes nothing that nobody would see', () => {
    const world = reportingWorld();
    world.vhost.firehose.published(message(), [], ORIGIN);
    assert.equal(world.made.length, 0);
    const seen = world.watch(TRACE_EXCHANGE, '#');
    world.vhost.firehose.published(message(), [], ORIGIN);
    assert.equal(world.isWaiting(), true);
    assert.equal(seen().length, 1);
  });

  test('cuts a routing key that would be too long', () => {
    const world = reportingWorld();
    const seen = world.watch(TRACE_EXCHANGE, '#');
    const from = message();
    from.exchange = 'x'.repeat(255);
    world.vhost.firehose.published(from, [], ORIGIN);
    assert.equal(seen()[0]?.key, `publish.${'x'.repeat(247)}`);
  });
});
