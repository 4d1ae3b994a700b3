import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RawConnection } from '../wire/raw-connection.js';
import { controlledBroker } from './controlled-broker.js';

const { broker, control } = await controlledBroker();
const EXCHANGE = 'amq.rabbitmq.event';
const options = { skip: (await hasEvents()) ? false : 'the broker has no event exchange' };

/** How long an event may take: RabbitMQ's come when they come. */
const DEADLINE_MILLISECONDS = 15_000;

async function hasEvents(): Promise<boolean> {
  const raw = await RawConnection.handshake(broker.port);
  await raw.openChannel(1);
  raw.sendMethod(1, 'exchange.declare', { exchange: EXCHANGE, passive: true });
  const { name } = await raw.nextMethod();
  raw.destroy();
  return name === 'exchange.declare-ok';
}

interface Event {
  readonly key: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Gives the events with these keys that match, as soon as there are so many. */
type Watch = (count: number, matches: (event: Event) => boolean) => Promise<Event[]>;

async function watch(t: TestContext, ...keys: string[]): Promise<Watch> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  for (const routingKey of keys) {
    await raw.call(1, 'queue.bind', { queue, exchange: EXCHANGE, routingKey });
  }
  return async (count, matches) => {
    const giveUp = Date.now() + DEADLINE_MILLISECONDS;
    const found: Event[] = [];
    while (found.length < count) {
      const message = await raw.get(1, queue);
      if (message === undefined) {
        assert.ok(Date.now() < giveUp, `${found.length} of ${count} events`);
        await delay(10);
        continue;
      }
      assert.equal(message.body.length, 0);
      assert.equal(message.properties.deliveryMode, 2);
      const table = message.properties.headers as Record<string, unknown>; // a table
      const { timestamp_in_ms: time, ...headers } = table;
      const seconds = Math.floor(Number(time) / 1_000);
      assert.equal(Number(timeOf(message.properties.timestamp)), seconds);
      const event = { key: String(message.args.routingKey), headers };
      if (matches(event)) found.push(event);
    }
    return found;
  };
}

/** amqplib reads a timestamp as a number, or as an object with one. */
function timeOf(timestamp: unknown): unknown {
  return typeof timestamp === 'object' && timestamp !== null && 'value' in timestamp
    ? timestamp.value
    : timestamp;
}

/** That an event has these headers; it may have others, which newer versions add. */
function assertEvent(event: Event | undefined, key: string, expected: Event['headers']): void {
  assert.ok(event !== undefined);
  const shown = Object.fromEntries(
    Object.keys(expected).map((name) => [name, event.headers[name]]),
  );
  assert.deepEqual({ key: event.key, ...shown }, { key, ...expected });
}

const byGuest = { vhost: '/', user_who_performed_action: 'guest' };
const byBroker = { vhost: '/', user_who_performed_action: 'rmq-internal' };

/** A connection, a channel and a consumer that come and go; returns the consumer's queue. */
async function liveAndDie(t: TestContext, connectionName: string): Promise<string> {
  const clientProperties = { product: 'event test', connection_name: connectionName };
  const raw = await broker.raw(t, { clientProperties });
  await raw.openChannel(7);
  const queue = broker.queueName();
  await raw.call(7, 'queue.declare', { queue });
  await raw.call(7, 'basic.qos', { prefetchCount: 3 });
  const consumer = { queue, consumerTag: 'tag', arguments: { 'x-priority': 2 } };
  await raw.call(7, 'basic.consume', consumer);
  await raw.call(7, 'basic.cancel', { consumerTag: 'tag' });
  await raw.call(7, 'channel.close', { replyCode: 200 });
  await raw.close();
  return queue;
}

/** Whether an event is about the connection of that name, or about what is on it. */
function within(connectionName: string): (event: Event) => boolean {
  const printed = `{<<"connection_name">>,longstr,<<"${connectionName}">>}`;
  const ids = new Set<unknown>();
  return ({ headers }) => {
    const { client_properties: properties, pid, connection, channel } = headers;
    const isIt = Array.isArray(properties) && properties.includes(printed);
    const isOn = [pid, connection, channel].some((id) => ids.has(id));
    if (isIt || isOn) ids.add(pid ?? channel);
    return isIt || isOn;
  };
}

describe('the event exchange', options, () => {
  test('is an internal topic exchange', async (t) => {
    const raw = await broker.rawChannel(t);
    const spec = { exchange: EXCHANGE, type: 'topic', durable: true, internal: true };
    await raw.call(1, 'exchange.declare', spec);
  });

  test('tells of queues', async (t) => {
    const events = await watch(t, 'queue.*');
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-length': 5 } });
    await raw.call(1, 'queue.delete', { queue });
    const [created, deleted] = await events(2, ({ headers }) => headers.name === queue);
    assertEvent(created, 'queue.created', {
      name: queue,
      durable: false,
      auto_delete: false,
      arguments: ['{<<"x-max-length">>,byte,5}'],
      owner_pid: '',
      exclusive: false,
      ...byGuest,
    });
    assertEvent(deleted, 'queue.deleted', { name: queue, ...byGuest });
  });

  test('tells of exchanges and bindings', async (t) => {
    const events = await watch(t, 'exchange.*', 'binding.*');
    const raw = await broker.rawChannel(t);
    const [queue, exchange] = [broker.queueName(), broker.exchangeName()];
    await raw.call(1, 'queue.declare', { queue });
    await raw.call(1, 'exchange.declare', { exchange, type: 'topic', autoDelete: true });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'k', arguments: { z: true } });
    await raw.call(1, 'queue.delete', { queue });
    const isOurs = ({ headers }: Event): boolean =>
      headers.name === exchange || headers.source_name === exchange;
    const [created, bound, ...gone] = await events(4, isOurs);
    assertEvent(created, 'exchange.created', {
      name: exchange,
      type: 'topic',
      durable: false,
      auto_delete: true,
      internal: false,
      arguments: [],
      policy: '',
      ...byGuest,
    });
    const binding = {
      source_name: exchange,
      source_kind: 'exchange',
      destination_name: queue,
      destination_kind: 'queue',
      routing_key: 'k',
      arguments: ['{<<"z">>,bool,true}'],
    };
    assertEvent(bound, 'binding.created', { ...binding, ...byGuest });
    assertEvent(gone[0], 'exchange.deleted', { name: exchange, ...byBroker });
    assertEvent(gone[1], 'binding.deleted', { ...binding, ...byBroker });
  });

  test('tells of connections, channels and consumers, and which is whose', async (t) => {
    const events = await watch(t, 'connection.*', 'channel.*', 'consumer.*');
    const connectionName = broker.queueName();
    const queue = await liveAndDie(t, connectionName);
    const isOurs = within(connectionName);
    const [opened, began, consumes, ceased, ended, closed] = await events(6, isOurs);
    const name = String(opened?.headers.name);
    assert.match(name, new RegExp(`^127\\.0\\.0\\.1:\\d+ -> 127\\.0\\.0\\.1:${broker.port}$`));
    assertEvent(opened, 'connection.created', {
      type: 'network',
      port: broker.port,
      host: '{127,0,0,1}',
      peer_host: '{127,0,0,1}',
      ssl: false,
      auth_mechanism: 'PLAIN',
      protocol: '{0,9,1}',
      user: 'guest',
      timeout: 0,
      frame_max: 131_072,
      channel_max: 2_047,
      ...byGuest,
    });
    assertEvent(began, 'channel.created', {
      connection: opened?.headers.pid,
      name: `${name} (7)`,
      number: 7,
      user: 'guest',
      ...byGuest,
    });
    const consumer = { consumer_tag: 'tag', channel: began?.headers.pid, queue, ...byGuest };
    assertEvent(consumes, 'consumer.created', {
      ...consumer,
      exclusive: false,
      ack_required: true,
      prefetch_count: 3,
      arguments: ['{<<"x-priority">>,byte,2}'],
    });
    assertEvent(ceased, 'consumer.deleted', consumer);
    assertEvent(ended, 'channel.closed', { user_who_performed_action: 'guest' });
    assertEvent(closed, 'connection.closed', { name, user_provided_name: connectionName });
  });

  test('tells of policies', { skip: control ? false : 'RABBITMQCTL is not set' }, async (t) => {
    const events = await watch(t, 'policy.*', 'queue.policy.*');
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const name = `p-${queue}`;
    const definition = { 'max-length': 5 };
    const pattern = `^${queue}$`;
    await control?.setPolicy({ name, pattern, applyTo: 'queues', priority: 3, definition });
    await control?.clearPolicy(name);
    const ours = ({ headers }: Event): boolean => headers.name === name || headers.name === queue;
    const [updated, set, ungoverned, cleared] = await events(4, ours);
    const says = { pattern, definition, priority: 3, 'apply-to': 'queues', vhost: '/' };
    const type = 'rabbit_classic_queue';
    assertEvent(updated, 'queue.policy.updated', { name: queue, type, ...says });
    assertEvent(set, 'policy.set', { name, ...says });
    assertEvent(ungoverned, 'queue.policy.cleared', { name: queue, type, vhost: '/' });
    assertEvent(cleared, 'policy.cleared', { name, vhost: '/' });
  });
});
