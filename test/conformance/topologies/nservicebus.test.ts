import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { HandTurnedClock } from '../../simulation/hand-turned-clock.js';
import { headersOf, wayOf } from '../../wire/deaths.js';
import type { Content, RawConnection } from '../../wire/raw-connection.js';
import type { WireArguments } from '../../wire/wire-codec.js';
import { brokerUnderTest } from '../broker-under-test.js';
import { countOfFirstGet } from '../differences.js';
import {
  type DelayScheme,
  delayKey,
  delayLevels,
  lastExchange,
  levelsOf,
  wayThrough,
} from './delay-levels.js';
import { sendConfirmed, takeOne } from './messages.js';
import { declareTopology, deleteTopologyAfterwards, type Topology, together } from './topology.js';
import { TurnedBroker } from './turned-broker.js';

/**
 * What an NServiceBus endpoint declares and does: delayed messages wait in 28 levels of quorum
 * queues, events go from type to type through fanout exchanges, and a message that fails is given
 * back, delayed, and in the end sent to the error queue.
 */

const broker = await brokerUnderTest();

type QueueType = 'classic' | 'quorum';

function scheme(prefix = ''): DelayScheme {
  return {
    levelName: (level) => `${prefix}nsb.v2.delay-level-${String(level).padStart(2, '0')}`,
    deliveryExchange: `${prefix}nsb.v2.delay-delivery`,
    queueArguments: {
      'x-queue-type': 'quorum',
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  };
}

/** Queues with a fanout exchange of the same name each, as conventional routing has them. */
function addresses(queueType: QueueType, ...names: readonly string[]): Topology {
  const type = queueType === 'quorum' ? { arguments: { 'x-queue-type': 'quorum' } } : {};
  return {
    exchanges: names.map((exchange) => ({ exchange, type: 'fanout', durable: true })),
    queues: names.map((queue) => ({ queue, durable: true, ...type })),
    bindings: names.map((name) => ({ queue: name, exchange: name })),
  };
}

/** Has what was delayed come to an endpoint. */
function bindToDelays(address: string, { deliveryExchange }: DelayScheme): Topology {
  const routingKey = `#.${address}`;
  return { bindings: [{ destination: address, source: deliveryExchange, routingKey }] };
}

/** Sends a delayed message, into the level of the delay's highest bit; of none, into the lowest. */
async function sendDelayed(
  raw: RawConnection,
  to: { readonly address: string; readonly levels: DelayScheme },
  seconds: number,
  headers: WireArguments = {},
): Promise<void> {
  const [start = 0] = levelsOf(seconds);
  const publish = {
    exchange: to.levels.levelName(start),
    routingKey: delayKey(seconds, to.address),
  };
  await sendConfirmed(raw, publish, `${seconds} s`, {
    messageId: 'a-message',
    contentType: 'text/xml',
    headers: { ...headers, 'NServiceBus.Transport.RabbitMQ.DelayInSeconds': seconds },
  });
}

/** Headers as an endpoint reads them: not those that would make a retry look like a circle. */
function headersToSendOn(message: Content): WireArguments {
  const dropped = /^x-(first-)?death|^x-delivery-count|DelayInSeconds$/;
  const kept = Object.entries(headersOf(message)).filter(([name]) => !dropped.test(name));
  return Object.fromEntries(kept) as WireArguments; // from the wire
}

async function declare(raw: RawConnection, topology: Topology): Promise<void> {
  await raw.openChannel(2);
  await raw.call(2, 'confirm.select');
  await declareTopology(raw, topology);
}

/** A connection whose channel 2 confirms, with a topology of this test's own. */
async function declared(t: TestContext, topology: Topology): Promise<RawConnection> {
  deleteTopologyAfterwards(broker, topology);
  const raw = await broker.rawChannel(t);
  await declare(raw, topology);
  return raw;
}

describe('NServiceBus: delayed delivery', { concurrency: true }, () => {
  test('a delay goes down from the level of its highest bit', async (t) => {
    const run = randomBytes(4).toString('hex');
    const [address, levels] = [`sales-${run}`, scheme(`${run}-`)];
    const raw = await declared(
      t,
      together(delayLevels(levels), addresses('quorum', address), bindToDelays(address, levels)),
    );
    const to = { address, levels };
    await declareTopology(raw, delayLevels(levels)); // every endpoint does

    for (const seconds of [3, 1, 2, 0]) await sendDelayed(raw, to, seconds);
    const undelayed = await takeOne(raw, address);
    assert.equal(undelayed.body.toString(), '0 s');
    assert.equal(undelayed.args.exchange, levels.levelName(0));
    assert.deepEqual(wayOf(undelayed), []);
    for (const seconds of [1, 2, 3]) {
      const message = await takeOne(raw, address);
      assert.equal(message.body.toString(), `${seconds} s`);
      assert.equal(message.args.exchange, lastExchange(levels, seconds));
      assert.equal(message.args.routingKey, delayKey(seconds, address));
      assert.deepEqual(wayOf(message), wayThrough(levels, seconds));
      const start = levels.levelName(levelsOf(seconds)[0]!);
      assert.equal(headersOf(message)['x-first-death-exchange'], start);
      assert.equal(headersOf(message)['x-first-death-queue'], start);
      assert.equal(headersOf(message)['x-first-death-reason'], 'expired');
      assert.equal(message.properties.messageId, 'a-message');
    }
  });

  const skip = broker.isOwn ? false : 'it takes hours, but where the clock can be turned';
  test('each level holds for its bit, up to 18 hours', { skip }, async (t) => {
    const turnedBroker = await TurnedBroker.start(t);
    const [address, levels] = ['sales', scheme()];
    const raw = await turnedBroker.rawChannel();
    await declare(
      raw,
      together(delayLevels(levels), addresses('quorum', address), bindToDelays(address, levels)),
    );
    const delays = Array.from({ length: 17 }, (_, level) => 2 ** level);
    // The longest first: it is in nobody's way.
    for (const seconds of delays.toReversed()) {
      await sendDelayed(raw, { address, levels }, seconds);
    }
    let passed = 0;
    for (const seconds of delays) {
      turnedBroker.pass((seconds - passed) * 1000 - 1);
      assert.equal(await raw.get(1, address), undefined, `before ${seconds} s`);
      turnedBroker.pass(1);
      passed = seconds;
      assert.equal((await raw.get(1, address))?.body.toString(), `${seconds} s`);
    }
  });

  test('a delay goes on while the broker is down', { skip }, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'leveret-delays-'));
    t.after(() => rm(directory, { recursive: true }));
    const [address, levels] = ['sales', scheme()];
    const first = await TurnedBroker.start(t, new HandTurnedClock(), { directory });
    const before = await first.rawChannel();
    await declare(
      before,
      together(delayLevels(levels), addresses('quorum', address), bindToDelays(address, levels)),
    );
    await sendDelayed(before, { address, levels }, 5_000);
    first.pass(1_000_000);
    await first.close();

    const clock = new HandTurnedClock(first.clock.wallTime() + 3_000_000);
    const second = await TurnedBroker.start(t, clock, { directory });
    const raw = await second.rawChannel();
    await raw.untilReady(1, levels.levelName(12), 1);
    second.pass(96_000);
    // It has to be read from the disk; after that it goes from level to level in no time.
    await raw.untilReady(1, levels.levelName(9), 1);
    second.pass(904_000 - 1);
    assert.equal(await raw.get(1, address), undefined);
    second.pass(1);
    const message = await raw.get(1, address);
    assert.ok(message !== undefined);
    assert.deepEqual(wayOf(message), wayThrough(levels, 5_000));
  });
});

describe('NServiceBus: an endpoint', { concurrency: true }, () => {
  for (const queueType of ['classic', 'quorum'] as const) {
    test(`that fails: retries, delayed retries, the error queue, of ${queueType} queues`, async (t) => {
      const run = randomBytes(4).toString('hex');
      const [address, error] = [`sales-${run}`, `error-${run}`];
      const levels = scheme(`${run}-`);
      const raw = await declared(
        t,
        together(
          ...[delayLevels(levels), addresses(queueType, address, error)],
          bindToDelays(address, levels),
        ),
      );
      const headers = { 'NServiceBus.EnclosedMessageTypes': 'Shop.PlaceOrder' };
      await sendConfirmed(raw, { exchange: address }, 'order', { messageId: '1', headers });

      let message = await failed(raw, address, queueType);
      for (let retries = 1; retries <= 2; retries++) {
        const retried = { ...headersToSendOn(message), 'NServiceBus.Retries': `${retries}` };
        await sendDelayed(raw, { address, levels }, 1, retried);
        raw.sendMethod(1, 'basic.ack', { deliveryTag: message.args.deliveryTag as number });
        message = await failed(raw, address, queueType);
        assert.deepEqual(wayOf(message), [`${levels.levelName(0)} expired 1`]);
        assert.equal(headersOf(message)['NServiceBus.Retries'], `${retries}`);
      }
      const reason = { 'NServiceBus.ExceptionInfo.Message': 'no carrots' };
      const moved = { ...headersToSendOn(message), ...reason };
      await sendConfirmed(raw, { exchange: error }, 'order', { messageId: '1', headers: moved });
      raw.sendMethod(1, 'basic.ack', { deliveryTag: message.args.deliveryTag as number });

      const dead = await takeOne(raw, error);
      assert.equal(dead.args.redelivered, false);
      assert.equal(headersOf(dead)['NServiceBus.ExceptionInfo.Message'], 'no carrots');
      assert.equal(headersOf(dead)['NServiceBus.EnclosedMessageTypes'], 'Shop.PlaceOrder');
      assert.deepEqual(wayOf(dead), []);
      await raw.untilReady(1, address, 0);
    });
  }

  test('events go to whoever handles their type, a base type or an interface', async (t) => {
    const run = randomBytes(4).toString('hex');
    const type = (name: string): string => `Shop.Events-${run}:${name}`;
    const names = ['OrderAccepted', 'OrderEvent', 'IOrderEvent', 'IEvent'].map(type);
    const [accepted, base, contract, any] = names as [string, string, string, string];
    const [sales, billing, audit] = ['sales', 'billing', 'audit'].map((name) => `${name}-${run}`);
    const raw = await declared(
      t,
      together(addresses('quorum', sales!, billing!, audit!), {
        exchanges: names.map((exchange) => ({ exchange, type: 'fanout', durable: true })),
        bindings: [
          { destination: base, source: accepted },
          { destination: contract, source: accepted },
          { destination: any, source: accepted },
          // Of a type and of its interface, and yet it comes once.
          { destination: sales!, source: accepted },
          { destination: sales!, source: contract },
          { destination: billing!, source: base },
          { destination: audit!, source: any },
        ],
      }),
    );
    await sendConfirmed(raw, { exchange: accepted, mandatory: false }, 'accepted');
    await sendConfirmed(raw, { exchange: base, mandatory: false }, 'base');
    for (const [queue, bodies] of [
      [sales, ['accepted']],
      [billing, ['accepted', 'base']],
      [audit, ['accepted']],
    ] as const) {
      await raw.untilReady(1, queue!, bodies.length);
      assert.deepEqual(await raw.drain(1, queue!), bodies);
    }
    // A copy of what was handled, for the audit queue.
    await sendConfirmed(raw, { exchange: audit! }, 'accepted', {
      headers: { 'NServiceBus.ProcessingEnded': '2026-11-20 12:00:00:000000 Z' },
    });
    assert.equal((await takeOne(raw, audit!)).body.toString(), 'accepted');
  });

  test('direct routing: by type through amq.topic', async (t) => {
    const queue = broker.queueName();
    const raw = await declared(t, {
      queues: [{ queue, durable: true, arguments: { 'x-queue-type': 'quorum' } }],
      bindings: [{ queue, exchange: 'amq.topic', routingKey: `Shop.${queue}.OrderEvent.#` }],
    });
    const publish = (routingKey: string): Promise<void> =>
      sendConfirmed(raw, { exchange: 'amq.topic', routingKey, mandatory: false }, routingKey);
    const accepted = `Shop.${queue}.OrderEvent.OrderAccepted`;
    await publish(`Shop.${queue}.Other`);
    await publish(accepted);
    await sendConfirmed(raw, { routingKey: queue }, 'a command');
    await raw.untilReady(1, queue, 2);
    assert.deepEqual(await raw.drain(1, queue), [accepted, 'a command']);
  });
});

/**
 * A message that has failed as often as it is retried at once: it was given back each time, and a
 * quorum queue has counted. It is not acknowledged.
 */
async function failed(raw: RawConnection, queue: string, queueType: QueueType): Promise<Content> {
  for (let attempt = 1; ; attempt++) {
    const message = await takeOne(raw, queue, false);
    assert.equal(message.args.redelivered, attempt > 1);
    const counted = attempt > 1 ? attempt - 1 : broker.expected(countOfFirstGet);
    const expected = queueType === 'quorum' ? counted : undefined;
    assert.equal(headersOf(message)['x-delivery-count'], expected);
    if (attempt > 5) return message;
    const deliveryTag = message.args.deliveryTag as number; // as the wire has it
    raw.sendMethod(1, 'basic.reject', { deliveryTag, requeue: true });
  }
}
