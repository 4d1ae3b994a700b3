import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type Content, channelClose, type RawConnection } from '../wire/raw-connection.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { controlledBroker } from './controlled-broker.js';

const { broker, control } = await controlledBroker();
const skip = broker.isRabbit && 'RabbitMQ has no message groups';

/** A channel with a queue whose messages are grouped by their correlation-id. */
async function withQueue(
  t: TestContext,
  table: WireArguments = {},
): Promise<{ raw: RawConnection; queue: string }> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  const args = { 'x-group-by': 'property:correlation-id', ...table };
  await raw.call(1, 'queue.declare', { queue, arguments: args });
  return { raw, queue };
}

/** Publishes `a1 b1 2`: two messages with keys and one without. */
async function publish(
  raw: RawConnection,
  queue: string,
  texts: string,
  properties: WireArguments = {},
): Promise<void> {
  const bodies = texts.split(' ');
  for (const body of bodies) {
    const correlationId = /^[a-z]+/.exec(body)?.[0];
    const key = correlationId === undefined ? {} : { correlationId };
    raw.publish(1, { routingKey: queue }, body, { ...key, ...properties });
  }
  await raw.call(1, 'channel.flow', { active: true });
}

async function deliveries(raw: RawConnection, count: number): Promise<Content[]> {
  const contents: Content[] = [];
  while (contents.length < count) contents.push(await raw.expectContent('basic.deliver', 1));
  return contents;
}

function texts(contents: readonly (Content | undefined)[]): string {
  return contents.map((each) => each?.body.toString() ?? '-').join(' ');
}

/** Another connection with a consumer. */
async function consumer(
  t: TestContext,
  queue: string,
  prefetchCount: number,
): Promise<RawConnection> {
  const raw = await broker.rawChannel(t);
  await raw.call(1, 'basic.qos', { prefetchCount });
  await raw.call(1, 'basic.consume', { queue });
  return raw;
}

function ack(raw: RawConnection, content: Content | undefined): void {
  raw.sendMethod(1, 'basic.ack', { deliveryTag: Number(content?.args.deliveryTag) });
}

describe('x-group-by', { concurrency: true, skip }, () => {
  test('one of each key is delivered, and the next when it has been acknowledged', async (t) => {
    const { raw, queue } = await withQueue(t);
    await publish(raw, queue, 'a1 a2 b1 3 a4 b2');
    const one = await consumer(t, queue, 10);
    const first = await deliveries(one, 3);
    assert.equal(texts(first), 'a1 b1 3');
    await one.expectNothing(1);
    await raw.untilReady(1, queue, 3);
    ack(one, first[1]);
    assert.equal(texts(await deliveries(one, 1)), 'b2');
    ack(one, first[0]);
    assert.equal(texts(await deliveries(one, 1)), 'a2');
  });

  test('keys are spread over consumers, and a slow one holds up only itself', async (t) => {
    const { raw, queue } = await withQueue(t);
    const [slow, fast] = [await consumer(t, queue, 1), await consumer(t, queue, 1)];
    await publish(raw, queue, 'slow1 slow2');
    assert.equal(texts(await deliveries(slow, 1)), 'slow1');
    await publish(raw, queue, 'a1 slow3 a2 b1');
    for (const expected of ['a1', 'a2', 'b1']) {
      const [content] = await deliveries(fast, 1);
      assert.equal(texts([content]), expected);
      ack(fast, content);
    }
    await fast.expectNothing(1);
    await raw.untilReady(1, queue, 2);
    slow.destroy();
    const [again] = await deliveries(fast, 1);
    assert.deepEqual([texts([again]), again?.args.redelivered], ['slow1', true]);
    ack(fast, again);
    const [second] = await deliveries(fast, 1);
    assert.deepEqual([texts([second]), second?.args.redelivered], ['slow2', false]);
  });

  test('what is given back goes before the later ones of its key', async (t) => {
    const { raw, queue } = await withQueue(t);
    await publish(raw, queue, 'a1 a2 b1');
    const one = await consumer(t, queue, 10);
    const [a1] = await deliveries(one, 2);
    const deliveryTag = Number(a1?.args.deliveryTag);
    one.sendMethod(1, 'basic.nack', { deliveryTag, requeue: true });
    assert.equal(texts(await deliveries(one, 1)), 'a1');
    await one.expectNothing(1);
  });

  test('to consumers that need no acknowledgement they go in order', async (t) => {
    const { raw, queue } = await withQueue(t);
    const eager = await broker.rawChannel(t);
    await eager.call(1, 'basic.consume', { queue, noAck: true });
    await publish(raw, queue, 'a1 a2');
    assert.equal(texts(await deliveries(eager, 2)), 'a1 a2');
  });

  test('no message passes one of its key on the way to such a consumer', async (t) => {
    const { raw, queue } = await withQueue(t);
    const holder = await consumer(t, queue, 1);
    await publish(raw, queue, 'a1');
    const [a1] = await deliveries(holder, 1);
    const eager = await broker.rawChannel(t);
    await eager.call(1, 'basic.consume', { queue, noAck: true });
    await publish(raw, queue, 'a2 b1');
    assert.equal(texts(await deliveries(eager, 1)), 'b1');
    ack(holder, a1);
    assert.equal(texts(await deliveries(eager, 1)), 'a2');
  });

  test('basic.get takes the first that need not wait', async (t) => {
    const { raw, queue } = await withQueue(t);
    await publish(raw, queue, 'a1 a2 b1 1');
    const taken = [];
    for (let i = 0; i < 4; i++) taken.push(await raw.get(1, queue, false));
    assert.equal(texts(taken), 'a1 b1 1 -');
    assert.equal(taken[2]?.args.messageCount, 1);
    ack(raw, taken[0]);
    assert.equal(texts([await raw.get(1, queue, true)]), 'a2');
  });

  test('works with a single active consumer', async (t) => {
    const { raw, queue } = await withQueue(t, { 'x-single-active-consumer': true });
    const active = await consumer(t, queue, 5);
    const next = await consumer(t, queue, 5);
    await publish(raw, queue, 'a1 b1 a2');
    assert.equal(texts(await deliveries(active, 2)), 'a1 b1');
    active.destroy();
    assert.equal(texts(await deliveries(next, 2)), 'a1 b1');
    await next.expectNothing(1);
  });

  test('purge takes what waits, and leaves what is delivered', async (t) => {
    const { raw, queue } = await withQueue(t);
    await publish(raw, queue, 'a1 a2 b1 a3');
    const a1 = await raw.get(1, queue, false);
    assert.equal((await raw.call(1, 'queue.purge', { queue })).args.messageCount, 3);
    await publish(raw, queue, 'a4');
    assert.equal(await raw.get(1, queue, false), undefined);
    ack(raw, a1);
    assert.equal(texts([await raw.get(1, queue, true)]), 'a4');
  });

  test('a text that names no key, and x-max-priority, are refused', async (t) => {
    for (const [table, problem] of [
      [{ 'x-group-by': 'property:age' }, /'x-group-by' .*property:age' is neither a header's name/],
      [{ 'x-group-by': 'a', 'x-max-priority': 5 }, /x-max-priority lets messages overtake/],
    ] as const) {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, 'queue.declare', { queue: broker.queueName(), arguments: table });
      await raw.expectClose(1, channelClose(406, problem, 'queue.declare'));
    }
  });

  test('a policy groups a queue while it is in use, and no longer', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await raw.call(1, 'queue.declare', { queue });
    const [one, other] = [await consumer(t, queue, 1), await consumer(t, queue, 1)];
    await publish(raw, queue, 'a1 b1 a2');
    const [a1] = await deliveries(one, 1);
    const [b1] = await deliveries(other, 1);
    const definition = { 'group-by': 'property:correlation-id' };
    await control?.setPolicy({ name: queue, pattern: `^${queue}$`, definition });
    ack(other, b1);
    await other.expectNothing(1);
    await control?.clearPolicy(queue);
    assert.equal(texts(await deliveries(other, 1)), 'a2');
    ack(one, a1);
  });
});

describe('the rules of a queue with groups', { concurrency: true, skip }, () => {
  /** Such a queue, and one for its dead. */
  async function withDead(t: TestContext, table: WireArguments) {
    const dead = broker.queueName();
    const to = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
    const { raw, queue } = await withQueue(t, { ...to, ...table });
    await raw.call(1, 'queue.declare', { queue: dead });
    return { raw, queue, dead };
  }

  test('what expires does so behind one of its key that is delivered', async (t) => {
    const { raw, queue, dead } = await withDead(t, {});
    await publish(raw, queue, 'a1');
    const a1 = await raw.get(1, queue, false);
    await publish(raw, queue, 'a2', { expiration: '1' });
    await publish(raw, queue, 'a3');
    await raw.untilReady(1, dead, 1);
    assert.deepEqual(await raw.drain(1, dead), ['a2']);
    ack(raw, a1);
    assert.equal(texts([await raw.get(1, queue, true)]), 'a3');
  });

  test('with a time to live of 0 a message goes to whoever waits, or not at all', async (t) => {
    const { raw, queue, dead } = await withDead(t, { 'x-message-ttl': 0 });
    const one = await consumer(t, queue, 10);
    await publish(raw, queue, 'a1 a2 b1');
    assert.equal(texts(await deliveries(one, 2)), 'a1 b1');
    await raw.untilReady(1, dead, 1);
    assert.deepEqual(await raw.drain(1, dead), ['a2']);
  });

  test('a queue that is too long drops the oldest, whatever it waits for', async (t) => {
    const { raw, queue, dead } = await withDead(t, { 'x-max-length': 2 });
    await publish(raw, queue, 'a1');
    const a1 = await raw.get(1, queue, false);
    await publish(raw, queue, 'a2 b1 a3 b2');
    assert.deepEqual(await raw.drain(1, dead), ['a2', 'b1']);
    ack(raw, a1);
    assert.deepEqual(await raw.drain(1, queue), ['a3', 'b2']);
  });

  test('a queue that is full refuses what would have to wait', async (t) => {
    const { raw, queue } = await withQueue(t, {
      'x-max-length': 1,
      'x-overflow': 'reject-publish',
    });
    await raw.call(1, 'confirm.select');
    const one = await consumer(t, queue, 10);
    const answers: string[] = [];
    for (const body of ['a1', 'a2', 'a3']) {
      raw.publish(1, { routingKey: queue }, body, { correlationId: 'a' });
      answers.push((await raw.nextMethod()).name);
    }
    assert.deepEqual(answers, ['basic.ack', 'basic.ack', 'basic.nack']);
    const [a1] = await deliveries(one, 1);
    ack(one, a1);
    assert.equal(texts(await deliveries(one, 1)), 'a2');
  });

  test('what is rejected, or comes back too often, lets the next of its key go', async (t) => {
    const { raw, queue, dead } = await withDead(t, { 'x-delivery-limit': 1 });
    const one = await consumer(t, queue, 10);
    await publish(raw, queue, 'a1 a2 a3');
    const seen: string[] = [];
    for (const requeue of [true, true, false]) {
      const [content] = await deliveries(one, 1);
      seen.push(texts([content]));
      const deliveryTag = Number(content?.args.deliveryTag);
      one.sendMethod(1, 'basic.nack', { deliveryTag, requeue });
    }
    assert.deepEqual(seen, ['a1', 'a1', 'a2']);
    assert.equal(texts(await deliveries(one, 1)), 'a3');
    assert.deepEqual(await raw.drain(1, dead), ['a1', 'a2']);
  });

  test('a dead letter that nobody takes yet holds up none of its key', async (t) => {
    const { raw, queue, dead } = await withDead(t, {
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    });
    await raw.call(1, 'queue.delete', { queue: dead });
    const one = await consumer(t, queue, 10);
    await publish(raw, queue, 'a1 a2');
    const [a1] = await deliveries(one, 1);
    one.sendMethod(1, 'basic.nack', { deliveryTag: Number(a1?.args.deliveryTag), requeue: false });
    assert.equal(texts(await deliveries(one, 1)), 'a2');
  });
});
