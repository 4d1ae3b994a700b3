import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { deathsOf, headersOf, wayOf } from '../../wire/deaths.js';
import type { RawConnection } from '../../wire/raw-connection.js';
import type { WireArguments } from '../../wire/wire-codec.js';
import { brokerUnderTest } from '../broker-under-test.js';
import {
  DELAY_SECONDS_MAX,
  type DelayScheme,
  delayKey,
  delayLevels,
  lastExchange,
  levelsOf,
  wayThrough,
} from './delay-levels.js';
import { deliveredBodies, takeOne } from './messages.js';
import { declareTopology, deleteTopologyAfterwards, type Topology, together } from './topology.js';
import { TurnedBroker } from './turned-broker.js';

/**
 * Celery's native delayed delivery, as kombu declares it: a task with a countdown or an ETA goes
 * to the topmost level, and waits in the broker instead of in a worker's memory.
 */

const broker = await brokerUnderTest();

type QueueType = 'classic' | 'quorum';

function scheme(queueType: QueueType, prefix = ''): DelayScheme {
  return {
    levelName: (level) => `${prefix}celery_delayed_${level}`,
    deliveryExchange: `${prefix}celery_delayed_delivery`,
    queueArguments: {
      'x-queue-type': queueType,
      'x-overflow': 'reject-publish',
      ...(queueType === 'quorum' ? { 'x-dead-letter-strategy': 'at-least-once' } : {}),
    },
  };
}

/** A task queue, and its exchange of the same name, as the worker binds them to the levels. */
function taskQueue(queue: string, deliveryExchange: string): Topology {
  const routingKey = `#.${queue}`;
  return {
    exchanges: [{ exchange: queue, type: 'topic', durable: true }],
    queues: [{ queue, durable: true }],
    bindings: [
      { queue, exchange: queue, routingKey: queue },
      { destination: queue, source: deliveryExchange, routingKey },
      { queue, exchange: queue, routingKey },
    ],
  };
}

/** Sends a task named by its delay. */
function send(
  raw: RawConnection,
  queue: string,
  { levelName }: DelayScheme,
  seconds: number,
): void {
  const publish = { exchange: levelName(27), routingKey: delayKey(seconds, queue) };
  raw.publish(1, publish, `${seconds} s`, {
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    deliveryMode: 2,
    priority: 0,
    headers: { lang: 'py', task: 'shop.remind', eta: '2026-11-20T12:00:00+00:00' },
  });
}

/** All levels, under a prefix of the test's own, and a task queue; each declared twice. */
async function declared(t: TestContext, queueType: QueueType) {
  const run = randomBytes(4).toString('hex');
  const levels = scheme(queueType, `${run}_`);
  const queue = `tasks-${run}`;
  const topology = together(delayLevels(levels), taskQueue(queue, levels.deliveryExchange));
  deleteTopologyAfterwards(broker, topology);
  const raw = await broker.rawChannel(t);
  await declareTopology(raw, topology);
  await declareTopology(raw, topology); // every worker does
  return { raw, queue, levels };
}

describe("Celery's delayed delivery", { concurrency: true }, () => {
  for (const queueType of ['classic', 'quorum'] as const) {
    test(`through the lowest levels, of ${queueType} queues`, async (t) => {
      const { raw, queue, levels } = await declared(t, queueType);

      const sent = Date.now();
      for (const seconds of [5, 3, 1, 2]) send(raw, queue, levels, seconds);
      for (const seconds of [1, 2, 3, 5]) {
        const message = await takeOne(raw, queue);
        assert.equal(message.body.toString(), `${seconds} s`);
        assert.ok(Date.now() >= sent + seconds * 1000, `not before its ${seconds} s`);
        assert.equal(message.args.exchange, lastExchange(levels, seconds));
        assert.equal(message.args.routingKey, delayKey(seconds, queue));
        assert.deepEqual(wayOf(message), wayThrough(levels, seconds));
        const headers = headersOf(message);
        assert.equal(headers['x-first-death-queue'], levels.levelName(levelsOf(seconds)[0]!));
        assert.equal(headers['x-first-death-exchange'], levels.levelName(27));
        assert.equal(headers.task, 'shop.remind');
      }
    });
    test(`a retry that keeps the headers of its deaths, by ${queueType} queues`, async (t) => {
      const { raw, queue, levels } = await declared(t, queueType);
      send(raw, queue, levels, 1);
      const headers = headersOf(await takeOne(raw, queue));
      const retry = (body: string, seconds: number, properties: WireArguments): void => {
        const publish = { exchange: levels.levelName(27), routingKey: delayKey(seconds, queue) };
        raw.publish(1, publish, body, properties);
      };
      // To die where it died before, and only of time, looks like a circle: it is not passed on.
      retry('by level 1 to level 0 again', 3, { headers });
      retry('without the headers', 3, {});
      retry('by level 1 alone', 2, { headers });
      const other = await takeOne(raw, queue);
      assert.equal(other.body.toString(), 'by level 1 alone');
      assert.deepEqual(wayOf(other), [
        `${levels.levelName(1)} expired 1`,
        `${levels.levelName(0)} expired 1`,
      ]);
      assert.equal((await takeOne(raw, queue)).body.toString(), 'without the headers');
      assert.equal(await raw.get(1, queue), undefined);
    });
  }

  test('a task without a delay goes its usual way', async (t) => {
    const { levelName: _, ...levels } = scheme('classic', `${randomBytes(4).toString('hex')}_`);
    const queue = broker.queueName();
    const topology = taskQueue(queue, levels.deliveryExchange);
    const delivery = { exchange: levels.deliveryExchange, type: 'topic', durable: true };
    const whole = together({ exchanges: [delivery] }, topology);
    deleteTopologyAfterwards(broker, whole);
    const raw = await broker.rawChannel(t);
    await declareTopology(raw, whole);
    raw.publish(1, { exchange: queue, routingKey: queue }, 'now');
    assert.equal((await takeOne(raw, queue)).body.toString(), 'now');
    await raw.untilReady(1, queue, 0); // it was bound twice, and comes once
  });
});

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** A broker with turned time, all levels, and a task queue. */
async function turned(t: TestContext, queueType: QueueType) {
  const turnedBroker = await TurnedBroker.start(t);
  const raw = await turnedBroker.rawChannel();
  const levels = scheme(queueType);
  const queue = 'tasks';
  await declareTopology(
    raw,
    together(delayLevels(levels), taskQueue(queue, levels.deliveryExchange)),
  );
  return { turnedBroker, raw, levels, queue };
}

const skip = broker.isOwn ? false : 'it takes hours, but where the clock can be turned';

describe("Celery's delayed delivery, in time that is turned", { skip, concurrency: true }, () => {
  for (const [name, seconds] of [
    ['an hour', HOUR],
    ['a day and a half', 1.5 * DAY],
    ['3 days 7:11:13', 3 * DAY + 7 * HOUR + 11 * 60 + 13],
    ['40 days', 40 * DAY],
  ] as const) {
    test(`${name}: through every level of its bits, to the millisecond`, async (t) => {
      const { turnedBroker, raw, levels, queue } = await turned(t, 'quorum');
      const begin = turnedBroker.clock.wallTime() / 1000;
      send(raw, queue, levels, seconds);
      await raw.expectNothing(1);
      turnedBroker.pass(seconds * 1000 - 1);
      assert.equal(await raw.get(1, queue), undefined);
      turnedBroker.pass(1);
      const message = await raw.get(1, queue);
      assert.ok(message !== undefined);
      assert.deepEqual(wayOf(message), wayThrough(levels, seconds));

      // The oldest death is the first level's, and each came when the one before had passed.
      let time = begin;
      const expected = levelsOf(seconds).map((level) => (time += 2 ** level));
      assert.deepEqual(
        deathsOf(message).map((death) => death.time),
        expected.reverse().map(Math.floor),
      );
      const exchanges = deathsOf(message).map((death) => death.exchange);
      assert.equal(exchanges.at(-1), levels.levelName(27));
      assert.deepEqual(
        exchanges.slice(0, -1),
        // A queue's dead letters enter at the level below it, and go down from there.
        levelsOf(seconds)
          .slice(0, -1)
          .map((level) => levels.levelName(level - 1))
          .reverse(),
      );
    });
  }

  test('the longest delay begins at the topmost level', async (t) => {
    const { raw, levels, queue } = await turned(t, 'quorum');
    send(raw, queue, levels, DELAY_SECONDS_MAX);
    await raw.untilReady(1, levels.levelName(27), 1);
  });

  test('hundreds of tasks come in the order of their times', async (t) => {
    const { turnedBroker, raw, levels, queue } = await turned(t, 'classic');
    const delays = Array.from({ length: 300 }, (_, index) => ((index * 7_919) % 300) * 613 + 1);
    for (const seconds of delays) send(raw, queue, levels, seconds);
    await raw.expectNothing(1);
    turnedBroker.pass(Math.max(...delays) * 1000);
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    assert.deepEqual(
      await deliveredBodies(raw, delays.length),
      delays.sort((one, other) => one - other).map((seconds) => `${seconds} s`),
    );
  });

  test('tasks of one time keep the order in which they were sent', async (t) => {
    const { turnedBroker, raw, levels, queue } = await turned(t, 'quorum');
    const bodies = Array.from({ length: 100 }, (_, index) => `task ${index}`);
    const publish = { exchange: levels.levelName(27), routingKey: delayKey(DAY + 1, queue) };
    for (const body of bodies) raw.publish(1, publish, body, { deliveryMode: 2 });
    await raw.expectNothing(1);
    turnedBroker.pass((DAY + 1) * 1000);
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    assert.deepEqual(await deliveredBodies(raw, bodies.length), bodies);
  });
});
