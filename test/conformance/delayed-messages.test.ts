import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ConsumeMessage } from 'amqplib';
import { channelClose, RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { Inbox } from './clients/inbox.js';
import { malformedDelay, mandatoryDelay } from './differences.js';

const broker = await brokerUnderTest();
const skip = (await hasPlugin()) ? false : 'the broker has no x-delayed-message';

/** Whether the broker can delay; RabbitMQ needs its plugin for it. */
async function hasPlugin(): Promise<boolean> {
  const raw = await RawConnection.handshake(broker.port);
  await raw.openChannel(1);
  raw.sendMethod(1, 'exchange.declare', declaration(broker.exchangeName(), 'direct'));
  const answer = await raw.nextMethod();
  raw.destroy();
  return answer.name === 'exchange.declare-ok';
}

function declaration(exchange: string, delayedType: unknown): WireArguments {
  const args = delayedType === undefined ? {} : { 'x-delayed-type': delayedType };
  return { exchange, type: 'x-delayed-message', arguments: args };
}

interface World {
  readonly raw: RawConnection;
  readonly exchange: string;
  readonly queue: string;
}

async function declared(t: TestContext, type: string, routingKey: string): Promise<World> {
  const raw = await broker.rawChannel(t);
  const exchange = broker.exchangeName();
  const queue = broker.queueName();
  await raw.call(1, 'exchange.declare', declaration(exchange, type));
  await raw.call(1, 'queue.declare', { queue });
  await raw.call(1, 'queue.bind', { queue, exchange, routingKey });
  return { raw, exchange, queue };
}

describe('x-delayed-message', { skip, concurrency: true }, () => {
  test('delivers in order of delay, whatever its header is written with', async (t) => {
    const exchange = broker.exchangeName();
    const queue = broker.queueName();
    const channel = await (await broker.amqplib(t)).createChannel();
    const args = { 'x-delayed-type': 'direct' };
    await channel.assertExchange(exchange, 'x-delayed-message', { arguments: args });
    await channel.assertQueue(queue);
    await channel.bindQueue(queue, exchange, 'k');
    const inbox = new Inbox<ConsumeMessage | null>();
    await channel.consume(queue, inbox.put, { noAck: true });
    // The plugin's own test, with text and a fraction besides, and room for a busy machine.
    for (const delay of [1_800, 300, 1_200, '900', 600.5, 1_500]) {
      const headers = { 'x-delay': delay };
      channel.publish(exchange, 'k', Buffer.from(String(delay)), { headers, persistent: true });
    }
    const came = (await inbox.atLeast(6)).map((message) => [
      message?.content.toString(),
      message?.properties.headers?.['x-delay'],
    ]);
    assert.deepEqual(came, [
      ['300', -300],
      ['600.5', -600],
      ['900', -900],
      ['1200', -1_200],
      ['1500', -1_500],
      ['1800', -1_800],
    ]);
  });

  for (const [type, bindingKey, keys, expected] of [
    ['direct', 'mykey', ['mykey', 'noroute', 'mykey'], 2],
    ['topic', 'a.*.c', ['a.b.c', 'a.z.c', 'b.b.c'], 2],
    ['fanout', '', ['mykey', 'noroute'], 2],
  ] as const) {
    test(`routes as ${type}`, async (t) => {
      const { raw, exchange, queue } = await declared(t, type, bindingKey);
      for (const headers of [{}, { 'x-delay': 0 }, { 'x-delay': 30 }]) {
        for (const routingKey of keys) raw.publish(1, { exchange, routingKey }, 'm', { headers });
        await raw.untilReady(1, queue, expected);
        assert.equal((await raw.drain(1, queue)).length, expected);
      }
    });
  }

  test('delays once on the way through two', async (t) => {
    const { raw, exchange, queue } = await declared(t, 'direct', 'k');
    const first = broker.exchangeName();
    await raw.call(1, 'exchange.declare', declaration(first, 'direct'));
    const binding = { source: first, destination: exchange, routingKey: 'k' };
    await raw.call(1, 'exchange.bind', binding);
    for (const delay of [900, 300, 600]) {
      const headers = { 'x-delay': delay };
      raw.publish(1, { exchange: first, routingKey: 'k' }, String(delay), { headers });
    }
    await raw.untilReady(1, queue, 3);
    assert.deepEqual(await raw.drain(1, queue), ['300', '600', '900']);
  });

  test('refuses a type to route as that is none', async (t) => {
    for (const [type, text] of [
      [undefined, "Invalid argument, 'x-delayed-type' must be an existing exchange type"],
      [5, "Invalid argument, 'x-delayed-type' must be an existing exchange type"],
      [
        'x-delayed-message',
        "Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'",
      ],
    ] as const) {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, 'exchange.declare', declaration(broker.exchangeName(), type));
      await raw.expectClose(1, channelClose(406, text, 'exchange.declare'));
    }
  });

  test('a mandatory message that is delayed', async (t) => {
    const { raw, exchange } = await declared(t, 'direct', 'k');
    await raw.call(1, 'confirm.select');
    const headers = { 'x-delay': 60_000 };
    raw.publish(1, { exchange, routingKey: 'k', mandatory: true }, 'm', { headers });
    const { name } = await raw.nextMethod();
    assert.equal(name, broker.expected(mandatoryDelay));
  });

  test('a delay that is none', async (t) => {
    const { raw, exchange, queue } = await declared(t, 'direct', 'k');
    raw.publish(1, { exchange, routingKey: 'k' }, 'm', { headers: { 'x-delay': true } });
    if (broker.expected(malformedDelay) === 'delivered') await raw.untilReady(1, queue, 1);
    else {
      const text = "invalid header 'x-delay': true is no number of milliseconds";
      await raw.expectClose(1, channelClose(406, text, 'basic.publish'));
    }
  });
});
