import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { streamQueue } from '../differences.js';
import { sendConfirmed, takeOne } from './messages.js';
import { declareTopology, deleteTopologyAfterwards } from './topology.js';

/**
 * What oslo.messaging declares in versions later than the one that `python/oslo-messaging.test.ts`
 * runs: its queues for replies and fanouts may be quorum queues, and the latter a stream.
 */

const broker = await brokerUnderTest();

const HALF_AN_HOUR = 1_800_000;

async function connected(t: TestContext) {
  const raw = await broker.rawChannel(t);
  await raw.openChannel(2);
  await raw.call(2, 'confirm.select');
  return raw;
}

describe('oslo.messaging, later versions', { concurrency: true }, () => {
  test('rabbit_transient_quorum_queue: durable, and gone when nobody uses them', async (t) => {
    const raw = await connected(t);
    const [reply, fanout] = [broker.queueName(), broker.queueName()];
    const exchange = `${fanout}_fanout`;
    const args = { 'x-queue-type': 'quorum', 'x-delivery-limit': 3, 'x-expires': HALF_AN_HOUR };
    const topology = {
      exchanges: [{ exchange, type: 'fanout', durable: true, autoDelete: true }],
      queues: [
        { queue: reply, durable: true, arguments: args },
        { queue: fanout, durable: true, arguments: args },
      ],
      bindings: [{ queue: fanout, exchange, routingKey: 'topic' }],
    };
    deleteTopologyAfterwards(broker, topology);
    await declareTopology(raw, topology);
    await sendConfirmed(raw, { routingKey: reply }, 'a reply', { expiration: '60000' });
    await sendConfirmed(raw, { exchange }, 'a cast', { deliveryMode: 2 });
    assert.equal((await takeOne(raw, reply)).body.toString(), 'a reply');
    assert.equal((await takeOne(raw, fanout)).body.toString(), 'a cast');
  });

  test('rabbit_stream_fanout: refused for as long as there are no streams', async (t) => {
    const raw = await connected(t);
    const queue = broker.queueName();
    const args = { 'x-queue-type': 'stream', 'x-max-age': '1800s' };
    raw.sendMethod(1, 'queue.declare', { queue, durable: true, arguments: args });
    const refusal = broker.expected(streamQueue(queue));
    if (refusal === null) await raw.expectMethod('queue.declare-ok', 1);
    else await raw.expectClose(1, refusal);
  });
});
