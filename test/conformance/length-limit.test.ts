import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

async function withQueue(
  t: TestContext,
  table: WireArguments,
): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue, arguments: table });
  return { raw, queue };
}

/** Publishes so many messages with confirms, and tells for each whether it was accepted. */
async function confirmed(
  raw: RawConnection,
  args: WireArguments,
  bodies: readonly string[],
): Promise<boolean[]> {
  await raw.call(1, 'confirm.select');
  for (const body of bodies) raw.publish(1, args, body);
  const accepted: (boolean | undefined)[] = bodies.map(() => undefined);
  while (accepted.includes(undefined)) {
    const { name, args: confirm } = await raw.nextMethod();
    assert.match(name, /^basic\.n?ack$/);
    const tag = Number(confirm.deliveryTag);
    for (let i = confirm.multiple === true ? 0 : tag - 1; i < tag; i++) {
      accepted[i] ??= name === 'basic.ack';
    }
  }
  return accepted.map((each) => each === true);
}

describe('length limits', { concurrency: true }, () => {
  test('x-max-length drops the oldest', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length': 2 });
    for (const body of ['1', '2', '3', '4']) raw.publish(1, { routingKey: queue }, body);
    assert.deepEqual(await raw.drain(1, queue), ['3', '4']);
  });

  test('x-max-length-bytes: octets of the bodies', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length-bytes': 10 });
    for (const body of ['aaaa', 'bbbb', 'cc', 'dddd']) raw.publish(1, { routingKey: queue }, body);
    assert.deepEqual(await raw.drain(1, queue), ['bbbb', 'cc', 'dddd']);
  });

  test('x-max-length-bytes: one that is too long for it does not stay', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length-bytes': 3 });
    raw.publish(1, { routingKey: queue }, 'abc');
    raw.publish(1, { routingKey: queue }, 'abcd');
    assert.deepEqual(await raw.drain(1, queue), []);
  });

  test('x-max-length 0: only what is delivered at once', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length': 0 });
    raw.publish(1, { routingKey: queue }, 'dropped');
    assert.deepEqual(await raw.drain(1, queue), []);
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    raw.publish(1, { routingKey: queue }, 'delivered');
    const { body } = await raw.expectContent('basic.deliver', 1);
    assert.equal(body.toString(), 'delivered');
  });

  test('what is delivered does not count', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length': 1 });
    raw.publish(1, { routingKey: queue }, '1');
    await raw.untilReady(1, queue, 1);
    assert.ok(await raw.get(1, queue, false));
    raw.publish(1, { routingKey: queue }, '2');
    assert.deepEqual(await raw.drain(1, queue), ['2']);
  });

  test('what comes back over the limit is dropped, the oldest first', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length': 2 });
    for (const body of ['1', '2']) raw.publish(1, { routingKey: queue }, body);
    await raw.untilReady(1, queue, 2);
    for (let i = 0; i < 2; i++) assert.ok(await raw.get(1, queue, false));
    raw.publish(1, { routingKey: queue }, '3');
    await raw.untilReady(1, queue, 1);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 0, multiple: true, requeue: true });
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, queue), ['2', '3']);
  });

  test('in a priority queue the head goes, which has the highest priority', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-max-length': 2, 'x-max-priority': 5 });
    for (const priority of [1, 5, 3]) {
      raw.publish(1, { routingKey: queue }, `${priority}`, { priority });
    }
    assert.deepEqual(await raw.drain(1, queue), ['3', '1']);
  });

  test('reject-publish: what does not fit is nacked', async (t) => {
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 2,
      'x-overflow': 'reject-publish',
    });
    const accepted = await confirmed(raw, { routingKey: queue }, ['1', '2', '3', '4']);
    assert.deepEqual(accepted, [true, true, false, false]);
    assert.deepEqual(await raw.drain(1, queue), ['1', '2']);
  });

  test('reject-publish: without confirms nobody is told', async (t) => {
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 1,
      'x-overflow': 'reject-publish',
    });
    for (const body of ['1', '2']) raw.publish(1, { routingKey: queue, mandatory: true }, body);
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, queue), ['1']);
  });

  test('reject-publish: a limit of 0 refuses everything, though somebody waits', async (t) => {
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 0,
      'x-overflow': 'reject-publish',
    });
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    assert.deepEqual(await confirmed(raw, { routingKey: queue }, ['1']), [false]);
  });

  test('reject-publish: what comes back is kept', async (t) => {
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 1,
      'x-overflow': 'reject-publish',
    });
    raw.publish(1, { routingKey: queue }, '1');
    await raw.untilReady(1, queue, 1);
    assert.ok(await raw.get(1, queue, false));
    raw.publish(1, { routingKey: queue }, '2');
    await raw.untilReady(1, queue, 1);
    raw.sendMethod(1, 'basic.nack', { deliveryTag: 1, requeue: true });
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, queue), ['1', '2']);
  });

  test('reject-publish: one queue of two refuses, and the other keeps it', async (t) => {
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 1,
      'x-overflow': 'reject-publish',
    });
    const other = broker.queueName();
    const exchange = broker.exchangeName();
    await raw.call(1, 'queue.declare', { queue: other });
    await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
    for (const each of [queue, other]) await raw.call(1, 'queue.bind', { queue: each, exchange });
    assert.deepEqual(await confirmed(raw, { exchange }, ['1', '2']), [true, false]);
    assert.deepEqual(await raw.drain(1, queue), ['1']);
    assert.deepEqual(await raw.drain(1, other), ['1', '2']);
  });

  test('reject-publish-dlx: it is nacked, and dead-lettered', async (t) => {
    const dead = broker.queueName();
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 1,
      'x-overflow': 'reject-publish-dlx',
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': dead,
    });
    await raw.call(1, 'queue.declare', { queue: dead });
    assert.deepEqual(await confirmed(raw, { routingKey: queue }, ['1', '2']), [true, false]);
    await raw.untilReady(1, dead, 1);
    assert.deepEqual(await raw.drain(1, dead), ['2']);
  });
});
