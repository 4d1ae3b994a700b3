import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Content, RawConnection } from '../wire/raw-connection.js';
import { controlledBroker } from './controlled-broker.js';
import { tracedDeaths, tracedRouteOfMissingQueue, tracedSettlements } from './differences.js';

const { broker, control } = await controlledBroker();
const options = { skip: control ? false : 'RABBITMQCTL is not set' };

/** Nothing is bound to it; publishes to it are traced all the same. */
const MARKER_EXCHANGE = 'amq.match';

/** A queue that gets the traces with these routing keys. */
async function watch(t: TestContext, ...keys: string[]): Promise<() => Promise<Content[]>> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  for (const routingKey of [...keys, `publish.${MARKER_EXCHANGE}`]) {
    await raw.call(1, 'queue.bind', { queue, exchange: 'amq.rabbitmq.trace', routingKey });
  }
  let count = 0;
  return async () => {
    // The traces of one message take their time: the last one shows that the others are there.
    const traces: Content[] = [];
    const marker = `marker ${++count}`;
    raw.publish(1, { exchange: MARKER_EXCHANGE, routingKey: 'nowhere' }, marker);
    for (;;) {
      const trace = await raw.get(1, queue);
      if (trace?.body.toString() === marker) return traces;
      if (trace !== undefined) traces.push(trace);
    }
  };
}

/** Headers, without what differs from one broker and connection to the next. */
function headersOf({ properties }: Content): Record<string, unknown> {
  const { node, connection, ...rest } = properties.headers as Record<string, unknown>; // a table
  assert.match(String(node), /^[\w.-]+@[\w.-]+$/);
  assert.match(String(connection), /^[\d.]+:\d+ -> [\d.]+:\d+$/);
  return rest;
}

interface World {
  readonly raw: RawConnection;
  readonly queue: string;
  readonly exchange: string;
}

/** A queue bound to a fanout exchange, on channel 3. */
async function world(t: TestContext): Promise<World> {
  const raw = await broker.raw(t);
  await raw.openChannel(3);
  const queue = broker.queueName();
  const exchange = broker.exchangeName();
  await raw.call(3, 'queue.declare', { queue });
  await raw.call(3, 'exchange.declare', { exchange, type: 'fanout' });
  await raw.call(3, 'queue.bind', { queue, exchange });
  return { raw, queue, exchange };
}

const origin = { vhost: '/', channel: 3, user: 'guest' };

/** Waits for a message in a queue, and takes it. */
async function untilThere(raw: RawConnection, queue: string): Promise<void> {
  while ((await raw.get(3, queue)) === undefined);
}

describe('the firehose', options, () => {
  before(() => control?.setTracing(true));
  after(() => control?.setTracing(false));

  test('traces what is published, with every property and where it went', async (t) => {
    const { raw, queue, exchange } = await world(t);
    const traces = await watch(t, `publish.${exchange}`);
    const properties = {
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      headers: { h: 1, s: 'x' },
      deliveryMode: 2,
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      expiration: '60000',
      messageId: 'm',
      timestamp: 1_700_000_000,
      type: 't',
      userId: 'guest',
      appId: 'a',
    };
    raw.publish(3, { exchange, routingKey: 'k' }, 'hello', properties);
    raw.publish(3, { exchange, routingKey: 'plain' }, 'bare');
    await raw.expectNothing(3);
    const [full, bare] = await traces();
    assert.equal(full?.body.toString(), 'hello');
    assert.equal(full?.args.routingKey, `publish.${exchange}`);
    assert.equal(full?.args.exchange, 'amq.rabbitmq.trace');
    assert.deepEqual(headersOf(full), {
      ...origin,
      exchange_name: exchange,
      routing_keys: ['k'],
      routed_queues: [queue],
      properties: {
        content_type: 'text/plain',
        content_encoding: 'gzip',
        headers: { h: 1, s: 'x' },
        delivery_mode: 2,
        priority: 3,
        correlation_id: 'c',
        reply_to: 'r',
        expiration: '60000',
        message_id: 'm',
        timestamp: 1_700_000_000,
        type: 't',
        user_id: 'guest',
        app_id: 'a',
      },
    });
    assert.ok(bare);
    assert.deepEqual(headersOf(bare).properties, {});
  });

  test('traces what goes nowhere, too', async (t) => {
    const { raw, exchange, queue } = await world(t);
    await raw.call(3, 'queue.unbind', { queue, exchange });
    const traces = await watch(t, `publish.${exchange}`, 'publish.');
    raw.publish(3, { exchange, routingKey: 'k' }, 'unroutable');
    const missing = broker.queueName();
    raw.publish(3, { exchange: '', routingKey: missing }, 'missing');
    await raw.expectNothing(3);
    const all = await traces();
    const of = (body: string): Record<string, unknown> | undefined => {
      const found = all.find((trace) => trace.body.toString() === body);
      return found && headersOf(found);
    };
    assert.deepEqual(of('unroutable')?.routed_queues, []);
    const expected = broker.expected(tracedRouteOfMissingQueue(missing));
    assert.deepEqual(of('missing')?.routed_queues, expected);
  });

  test('knows all routing keys of a message', async (t) => {
    const { raw, queue, exchange } = await world(t);
    const traces = await watch(t, `publish.${exchange}`, `deliver.${queue}`);
    const headers = { CC: ['cc'], BCC: ['bcc'] };
    raw.publish(3, { exchange, routingKey: 'k' }, 'copies', { headers });
    await raw.get(3, queue);
    const seen = (await traces()).map((trace) => headersOf(trace));
    assert.deepEqual(
      seen.map((trace) => trace.routing_keys),
      [
        ['k', 'cc', 'bcc'],
        ['k', 'cc', 'bcc'],
      ],
    );
    assert.deepEqual(seen[0]?.properties, { headers: { CC: ['cc'] } });
  });

  test('traces deliveries, redeliveries and what is got', async (t) => {
    const { raw, queue, exchange } = await world(t);
    const settlements = [`ack.${queue}`, `nack.${queue}`];
    const traces = await watch(t, `deliver.${queue}`, ...settlements);
    raw.publish(3, { exchange, routingKey: 'k' }, 'hello');
    await raw.call(3, 'basic.consume', { queue, consumerTag: 'c' });
    const first = await raw.expectContent('basic.deliver', 3);
    const { deliveryTag } = first.args;
    raw.sendMethod(3, 'basic.reject', { deliveryTag: Number(deliveryTag), requeue: true });
    const second = await raw.expectContent('basic.deliver', 3);
    raw.sendMethod(3, 'basic.ack', { deliveryTag: Number(second.args.deliveryTag) });
    await raw.call(3, 'basic.cancel', { consumerTag: 'c' });
    raw.publish(3, { exchange, routingKey: 'k' }, 'hello');
    while ((await raw.get(3, queue)) === undefined);
    const seen = await traces();
    const about = { exchange_name: exchange, routing_keys: ['k'], properties: {} };
    const deliveries = seen.filter(({ args }) => args.routingKey === `deliver.${queue}`);
    assert.deepEqual(
      deliveries.map((trace) => headersOf(trace)),
      [0, 1, 0].map((redelivered) => ({ ...origin, ...about, redelivered })),
    );
    assert.ok(seen.every(({ body }) => body.toString() === 'hello'));
    const others = seen
      .map(({ args }) => args.routingKey)
      .filter((key) => key !== `deliver.${queue}`);
    assert.deepEqual(others, broker.expected(tracedSettlements(queue)));
  });

  test('traces what becomes of the dead', async (t) => {
    const { raw, queue: grave, exchange } = await world(t);
    const queue = broker.queueName();
    const deadLettering = { 'x-dead-letter-exchange': exchange, 'x-dead-letter-routing-key': 'd' };
    await raw.call(3, 'queue.declare', { queue, arguments: deadLettering });
    const traces = await watch(t, `expire.${queue}`, `dead-letter.${queue}`);
    raw.publish(3, { exchange: '', routingKey: queue }, 'too late', { expiration: '1' });
    await untilThere(raw, grave);
    raw.publish(3, { exchange: '', routingKey: queue }, 'unwanted');
    const got = await raw.get(3, queue, false);
    raw.sendMethod(3, 'basic.reject', {
      deliveryTag: Number(got?.args.deliveryTag),
      requeue: false,
    });
    await untilThere(raw, grave);
    const seen = await traces();
    const keys = seen.map(({ args }) => args.routingKey);
    assert.deepEqual(keys, broker.expected(tracedDeaths(queue)));
    if (seen.length === 0) return;
    const subjects = seen.map(({ properties, body }) => {
      const { node, properties: own, ...headers } = properties.headers as Record<string, unknown>;
      assert.match(String(node), /^[\w.-]+@[\w.-]+$/);
      return { body: body.toString(), headers };
    });
    const before = { exchange_name: '', routing_keys: [queue], vhost: '/' };
    const after = { exchange_name: exchange, routing_keys: ['d'], vhost: '/' };
    const routed = { ...after, routed_queues: [grave] };
    assert.deepEqual(subjects, [
      { body: 'too late', headers: before },
      { body: 'too late', headers: { ...routed, reason: 'expired' } },
      { body: 'unwanted', headers: { ...routed, reason: 'rejected' } },
    ]);
  });

  test('does not trace its own messages', async (t) => {
    const { raw, exchange } = await world(t);
    const traces = await watch(t, `publish.${exchange}`, 'deliver.#');
    raw.publish(3, { exchange, routingKey: 'k' }, 'once');
    await raw.expectNothing(3);
    await traces();
    const again = (await traces()).map(({ args }) => String(args.routingKey));
    assert.deepEqual(again, []);
  });
});

test('nothing is traced while the firehose is off', options, async (t) => {
  const { raw, queue, exchange } = await world(t);
  await control?.setTracing(false);
  const watcher = broker.queueName();
  await raw.call(3, 'queue.declare', { queue: watcher });
  const trace = { queue: watcher, exchange: 'amq.rabbitmq.trace', routingKey: '#' };
  await raw.call(3, 'queue.bind', trace);
  raw.publish(3, { exchange, routingKey: 'k' }, 'unseen');
  assert.equal((await raw.get(3, queue))?.body.toString(), 'unseen');
  assert.equal(await raw.get(3, watcher), undefined);
});
