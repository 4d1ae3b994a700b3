import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { headersOf } from '../../wire/deaths.js';
import type { Content, RawConnection } from '../../wire/raw-connection.js';
import type { WireArguments } from '../../wire/wire-codec.js';
import { brokerUnderTest } from '../broker-under-test.js';
import { hasExchangeType } from '../controlled-broker.js';
import { sendConfirmed, takeOne } from './messages.js';
import { declareTopology, deleteTopologyAfterwards, type Topology, together } from './topology.js';

/**
 * What MassTransit declares and does: an exchange for each type of message, from which endpoints
 * take what they consume; `_error` for what failed, `_skipped` for what nobody consumed, and
 * `_delay`, an exchange of a plugin's type, for what is to come later.
 */

const broker = await brokerUnderTest();

/** Exchanges of types of messages, the more general ones bound behind the more special. */
function messageTypes(...chain: readonly string[]): Topology {
  return {
    exchanges: chain.map((exchange) => ({ exchange, type: 'fanout', durable: true })),
    bindings: chain.slice(1).map((general, i) => ({ destination: general, source: chain[i]! })),
  };
}

/** An endpoint's exchange and queue, and the types that it consumes. */
function endpoint(name: string, args: WireArguments, ...types: readonly string[]): Topology {
  return together(movedTo(name, args), {
    bindings: types.map((source) => ({ destination: name, source })),
  });
}

/** An exchange and a queue: of an endpoint, or where it moves messages to. */
function movedTo(name: string, args: WireArguments): Topology {
  return {
    exchanges: [{ exchange: name, type: 'fanout', durable: true }],
    queues: [{ queue: name, durable: true, arguments: args }],
    bindings: [{ queue: name, exchange: name, routingKey: '' }],
  };
}

/** A connection that declares, gets and sends, and a part for the names of this test. */
async function connected(t: TestContext): Promise<{ raw: RawConnection; run: string }> {
  const raw = await broker.rawChannel(t);
  await raw.openChannel(2);
  await raw.call(2, 'confirm.select');
  return { raw, run: randomBytes(4).toString('hex') };
}

async function declare(raw: RawConnection, topology: Topology): Promise<void> {
  deleteTopologyAfterwards(broker, topology);
  await declareTopology(raw, topology);
}

/** A message as MassTransit publishes it: not mandatory, for there may be no subscriber. */
async function publish(raw: RawConnection, type: string, body: string): Promise<void> {
  await sendConfirmed(raw, { exchange: type, mandatory: false }, body, {
    contentType: 'application/vnd.masstransit+json',
    messageId: '08dc0000-0000-0000-0000-000000000000',
    headers: { 'Content-Type': 'application/vnd.masstransit+json', publishId: '1' },
  });
}

/** Sends a message on as it was, but for what is said of its failure. */
async function move(raw: RawConnection, message: Content, exchange: string): Promise<void> {
  const { expiration: _, ...properties } = message.properties;
  const headers = { ...headersOf(message), 'MT-Reason': 'no carrots' };
  const { routingKey } = message.args;
  await sendConfirmed(raw, { exchange, routingKey } as WireArguments, message.body, {
    ...(properties as WireArguments), // off the wire
    headers: headers as WireArguments,
  });
}

const ENDPOINTS: readonly (readonly [what: string, args: WireArguments])[] = [
  ['as it is', {}],
  ['with priorities', { 'x-max-priority': 4 }],
  ['lazy, for one consumer', { 'x-queue-mode': 'lazy', 'x-single-active-consumer': true }],
  ['of quorum queues', { 'x-queue-type': 'quorum', 'x-quorum-initial-group-size': 3 }],
];

describe('MassTransit', { concurrency: true }, () => {
  for (const [what, args] of ENDPOINTS) {
    test(`an endpoint, ${what}: consumed, moved to _error, moved to _skipped`, async (t) => {
      const { raw, run } = await connected(t);
      const [type, orders] = [`Shop.Contracts:SubmitOrder-${run}`, `submit-order-${run}`];
      await declare(raw, together(messageTypes(type), endpoint(orders, args, type)));
      for (const body of ['good', 'bad', 'unknown']) await publish(raw, type, body);

      await raw.openChannel(3);
      await raw.call(3, 'basic.qos', { prefetchCount: 16 });
      await raw.call(3, 'basic.consume', { queue: orders });
      const received: Content[] = [];
      for (let i = 0; i < 3; i++) received.push(await raw.expectContent('basic.deliver', 3));
      assert.deepEqual(
        received.map(({ body }) => body.toString()),
        ['good', 'bad', 'unknown'],
      );
      for (const [message, suffix] of [
        [received[1]!, '_error'],
        [received[2]!, '_skipped'],
      ] as const) {
        // Declared when it is needed, with the arguments of the endpoint's own queue.
        await declare(raw, movedTo(orders + suffix, args));
        await move(raw, message, orders + suffix);
      }
      raw.sendMethod(3, 'basic.ack', { deliveryTag: 0, multiple: true });
      for (const [body, suffix] of [
        ['bad', '_error'],
        ['unknown', '_skipped'],
      ] as const) {
        const message = await takeOne(raw, orders + suffix);
        assert.equal(message.body.toString(), body);
        assert.equal(headersOf(message)['MT-Reason'], 'no carrots');
        assert.equal(headersOf(message).publishId, '1');
        assert.equal(message.properties.contentType, 'application/vnd.masstransit+json');
      }
      await raw.untilReady(1, orders, 0);
    });
  }

  test('what is published as a special type reaches who consumes a general one', async (t) => {
    const { raw, run } = await connected(t);
    const name = (type: string): string => `Shop.Contracts:${type}-${run}`;
    const [accepted, orderEvent, any] = ['OrderAccepted', 'OrderEvent', 'IEvent'].map(name) as [
      string,
      string,
      string,
    ];
    const [billing, audit] = [`billing-${run}`, `audit-${run}`];
    await declare(
      raw,
      together(
        messageTypes(accepted, orderEvent, any),
        endpoint(billing, {}, accepted, orderEvent),
        endpoint(audit, {}, any),
      ),
    );
    await publish(raw, accepted, 'special');
    await publish(raw, orderEvent, 'general');
    for (const queue of [billing, audit]) {
      await raw.untilReady(1, queue, 2);
      assert.deepEqual(await raw.drain(1, queue), ['special', 'general']);
    }
  });

  test("a bus's own endpoint goes with its consumer", async (t) => {
    const { raw, run } = await connected(t);
    const bus = `host_Shop_bus_${run}`;
    const transient = { durable: false, autoDelete: true };
    await declare(raw, {
      exchanges: [{ exchange: bus, type: 'fanout', ...transient }],
      queues: [{ queue: bus, ...transient, arguments: { 'x-expires': 60_000 } }],
      bindings: [{ queue: bus, exchange: bus, routingKey: '' }],
    });
    await sendConfirmed(raw, { exchange: bus }, 'a response', { deliveryMode: 1 });
    await raw.openChannel(3);
    const { args } = await raw.call(3, 'basic.consume', { queue: bus });
    assert.equal((await raw.expectContent('basic.deliver', 3)).body.toString(), 'a response');
    await raw.call(3, 'basic.cancel', { consumerTag: args.consumerTag as string });
    // The queue has gone, and with its last binding the exchange.
    raw.sendMethod(3, 'exchange.declare', { exchange: bus, type: 'fanout', passive: true });
    assert.equal((await raw.nextMethod()).args.replyCode, 404);
  });

  const delayed = 'x-delayed-message';
  test('what is to come later waits in _delay', async (t) => {
    const asFanout = { 'x-delayed-type': 'fanout' };
    const isThere = await hasExchangeType(broker, delayed, asFanout);
    if (!isThere) return t.skip(`there is no type ${delayed}`);
    const { raw, run } = await connected(t);
    const [type, orders] = [`Shop.Contracts:SubmitOrder-${run}`, `submit-order-${run}`];
    await declare(raw, together(messageTypes(type), endpoint(orders, {}, type)));
    const delay = `${orders}_delay`;
    await declare(raw, {
      exchanges: [{ exchange: delay, type: delayed, durable: true, arguments: asFanout }],
      bindings: [{ destination: orders, source: delay }],
    });
    const begin = Date.now();
    for (const milliseconds of [600, 300]) {
      const headers = { 'x-delay': milliseconds, 'MT-Redelivery-Count': 1 };
      await sendConfirmed(raw, { exchange: delay, mandatory: false }, `${milliseconds}`, {
        headers,
      });
    }
    for (const milliseconds of [300, 600]) {
      const message = await takeOne(raw, orders);
      assert.equal(message.body.toString(), `${milliseconds}`);
      assert.ok(Date.now() >= begin + milliseconds);
    }
  });
});
