import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelClose } from '../wire/raw-connection.js';
import { limitedBroker } from './limited-broker.js';

/** Exchanges that every virtual host has, and the one for events in the first. */
const THERE_ALREADY = 8;

describe('as much as may be declared', () => {
  test('406 for a queue more, until one is gone', async (t) => {
    const { broker } = await limitedBroker({ queuesMax: 2 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'first' });
    await raw.call(1, 'queue.declare', { queue: 'second' });
    // What is there may be declared again.
    await raw.call(1, 'queue.declare', { queue: 'first' });
    raw.sendMethod(1, 'queue.declare', { queue: 'third' });
    const text = "cannot declare queue 'third': queue limit in cluster (2) is reached";
    await raw.expectClose(1, channelClose(406, text, 'queue.declare'));
    await raw.openChannel(1);
    await raw.call(1, 'queue.delete', { queue: 'first' });
    await raw.call(1, 'queue.declare', { queue: 'third' });
  });

  test('an exclusive queue counts until its connection is gone', async (t) => {
    const { broker } = await limitedBroker({ queuesMax: 1 });
    const owner = await broker.amqplib(t);
    const channel = await owner.createChannel();
    await channel.assertQueue('', { exclusive: true });
    const other = await (await broker.amqplib(t)).createChannel();
    other.on('error', () => {});
    await assert.rejects(
      other.assertQueue('mine'),
      /406 .*queue limit in cluster \(1\) is reached/,
    );
    await owner.close();
    const another = await (await broker.amqplib(t)).createChannel();
    await another.assertQueue('mine');
  });

  test('406 for an exchange more, those counted that are always there', async (t) => {
    const { broker } = await limitedBroker({ exchangesMax: THERE_ALREADY + 1 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'exchange.declare', { exchange: 'first', type: 'fanout' });
    await raw.call(1, 'exchange.declare', { exchange: 'first', type: 'fanout' });
    raw.sendMethod(1, 'exchange.declare', { exchange: 'second', type: 'topic' });
    const limit = THERE_ALREADY + 1;
    const text = `cannot declare exchange 'second' in vhost '/': exchange limit of ${limit} is reached`;
    await raw.expectClose(1, channelClose(406, text, 'exchange.declare'));
    await raw.openChannel(1);
    await raw.call(1, 'exchange.delete', { exchange: 'first' });
    await raw.call(1, 'exchange.declare', { exchange: 'second', type: 'topic' });
  });

  test('406 for a binding more, from whatever to whatever', async (t) => {
    const { broker } = await limitedBroker({ bindingsMax: 2 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    const bind = { queue: 'q', exchange: 'amq.topic', routingKey: 'a' };
    await raw.call(1, 'queue.bind', bind);
    await raw.call(1, 'queue.bind', bind);
    const forward = { destination: 'amq.fanout', source: 'amq.direct', routingKey: '' };
    await raw.call(1, 'exchange.bind', forward);
    const text = "cannot bind to exchange 'amq.direct' in vhost '/': binding limit of 2 is reached";
    raw.sendMethod(1, 'exchange.bind', { ...forward, routingKey: 'another' });
    await raw.expectClose(1, channelClose(406, text, 'exchange.bind'));
    await raw.openChannel(1);
    // They go with what they lead to.
    await raw.call(1, 'queue.delete', { queue: 'q' });
    await raw.call(1, 'exchange.bind', { ...forward, routingKey: 'another' });
    await raw.call(1, 'exchange.unbind', { ...forward, routingKey: 'another' });
    await raw.call(1, 'exchange.bind', { ...forward, routingKey: 'a third' });
  });

  test('406 for a consumer more, on whatever connection', async (t) => {
    const { broker } = await limitedBroker({ consumersMax: 1 });
    const first = await broker.rawChannel(t);
    await first.call(1, 'queue.declare', { queue: 'q' });
    await first.call(1, 'basic.consume', { queue: 'q', consumerTag: 'c' });
    const second = await broker.rawChannel(t);
    second.sendMethod(1, 'basic.consume', { queue: 'q' });
    const text = "cannot consume from queue 'q' in vhost '/': consumer limit of 1 is reached";
    await second.expectClose(1, channelClose(406, text, 'basic.consume'));
    await first.call(1, 'basic.cancel', { consumerTag: 'c' });
    await second.openChannel(2);
    await second.call(2, 'basic.consume', { queue: 'q' });
  });

  test('a binding key of very many words takes room for arguments', async (t) => {
    const { broker } = await limitedBroker({ argumentBytesMax: 100_000 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    const bind = { queue: 'q', exchange: 'amq.topic' };
    await raw.call(1, 'queue.bind', { ...bind, routingKey: `1${'.'.repeat(240)}` });
    raw.sendMethod(1, 'queue.bind', { ...bind, routingKey: `2${'.'.repeat(240)}` });
    const text =
      /^cannot bind to exchange 'amq.topic' in vhost '\/': there is no room for its argu/;
    await raw.expectClose(1, channelClose(406, text, 'queue.bind'));
    await raw.openChannel(1);
    for (let i = 0; i < 1_000; i++) {
      await raw.call(1, 'queue.bind', {
        ...bind,
        routingKey: `of.eight.words.${i}.such.as.these.are`,
      });
    }
  });

  test('406 for arguments that there is no room for', async (t) => {
    const { broker } = await limitedBroker({ argumentBytesMax: 1_000 });
    const raw = await broker.rawChannel(t);
    const many = { note: 'x'.repeat(900) };
    await raw.call(1, 'queue.declare', { queue: 'q', arguments: many });
    const why =
      'there is no room for its arguments, those of everything declared may take 1000 bytes';
    raw.sendMethod(1, 'queue.bind', { queue: 'q', exchange: 'amq.headers', arguments: many });
    const text = `cannot bind to exchange 'amq.headers' in vhost '/': ${why}`;
    await raw.expectClose(1, channelClose(406, text, 'queue.bind'));
    await raw.openChannel(1);
    raw.sendMethod(1, 'queue.declare', { queue: 'r', arguments: many });
    const refused = `cannot declare queue 'r' in vhost '/': ${why}`;
    await raw.expectClose(1, channelClose(406, refused, 'queue.declare'));
    await raw.openChannel(1);
    await raw.call(1, 'queue.declare', { queue: 'without' });
    await raw.call(1, 'queue.delete', { queue: 'q' });
    await raw.call(1, 'queue.declare', { queue: 'r', arguments: many });
  });
});
