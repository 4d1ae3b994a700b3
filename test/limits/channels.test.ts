import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { channelClose, connectionClose, type RawConnection } from '../wire/raw-connection.js';
import { limitedBroker } from './limited-broker.js';

async function publish(raw: RawConnection, count: number): Promise<void> {
  await raw.call(1, 'queue.declare', { queue: 'q' });
  for (let i = 0; i < count; i++) raw.publish(1, { routingKey: 'q' }, `message ${i}`);
}

async function expectDelivered(raw: RawConnection, body: string): Promise<void> {
  const { body: actual } = await raw.expectContent('basic.deliver', 1);
  assert.equal(actual.toString(), body);
}

describe('as much as may be on a channel', () => {
  test('530 for a consumer more', async (t) => {
    const { broker } = await limitedBroker({ consumersPerChannelMax: 1 });
    const raw = await broker.rawChannel(t);
    await raw.openChannel(2);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    await raw.call(1, 'basic.consume', { queue: 'q' });
    await raw.call(2, 'basic.consume', { queue: 'q' });
    raw.sendMethod(1, 'basic.consume', { queue: 'q' });
    const text = 'reached maximum (1) of consumers per channel';
    await raw.expectClose(0, connectionClose(530, text, 'basic.consume'));
  });

  test('consumers get nothing more with so many deliveries unacknowledged', async (t) => {
    const { broker, logged } = await limitedBroker({ unackedPerChannelMax: 2 });
    const raw = await broker.rawChannel(t);
    await publish(raw, 5);
    await raw.call(1, 'basic.consume', { queue: 'q' });
    await expectDelivered(raw, 'message 0');
    await expectDelivered(raw, 'message 1');
    await raw.expectNothing(1);
    assert.match(logged.join(), /2 deliveries are unacknowledged: consumers on the channel get no/);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 1 });
    await expectDelivered(raw, 'message 2');
    await raw.expectNothing(1);
    raw.sendMethod(1, 'basic.ack', { deliveryTag: 0, multiple: true });
    await expectDelivered(raw, 'message 3');
    await expectDelivered(raw, 'message 4');
    // Another channel has a limit of its own.
    await raw.openChannel(2);
    await raw.call(2, 'queue.declare', { queue: 'r' });
    raw.publish(2, { routingKey: 'r' }, 'other');
    assert.equal((await raw.get(2, 'r', false))?.body.toString(), 'other');
    assert.equal(logged.length, 1);
  });

  test('each consumer of the channel goes on when there is room again', async (t) => {
    const { broker } = await limitedBroker({ unackedPerChannelMax: 2 });
    const channel = await (await broker.amqplib(t)).createChannel();
    await channel.assertQueue('a');
    await channel.assertQueue('b');
    const bodies: string[] = [];
    let acknowledged = 0;
    const consume = (queue: string): Promise<unknown> =>
      channel.consume(queue, (message) => {
        assert.ok(message);
        bodies.push(message.content.toString());
        // Late, so that the channel is full in between.
        void setImmediate().then(() => {
          channel.ack(message);
          acknowledged++;
        });
      });
    for (let i = 0; i < 50; i++) {
      channel.sendToQueue('a', Buffer.from(`a ${i}`));
      channel.sendToQueue('b', Buffer.from(`b ${i}`));
    }
    await consume('a');
    await consume('b');
    while (acknowledged < 100) await setImmediate();
    for (const queue of ['a', 'b']) {
      const own = bodies.filter((body) => body.startsWith(queue));
      assert.deepEqual(
        own,
        Array.from({ length: 50 }, (_, i) => `${queue} ${i}`),
      );
    }
  });

  test('406 for basic.get with so many deliveries unacknowledged', async (t) => {
    const { broker } = await limitedBroker({ unackedPerChannelMax: 2 });
    const raw = await broker.rawChannel(t);
    await publish(raw, 4);
    await raw.get(1, 'q', false);
    await raw.get(1, 'q', false);
    assert.equal((await raw.get(1, 'q', true))?.body.toString(), 'message 2');
    raw.sendMethod(1, 'basic.get', { queue: 'q', noAck: false });
    const text = '2 deliveries on the channel are unacknowledged, the most there may be';
    await raw.expectClose(1, channelClose(406, text, 'basic.get'));
  });

  test('406 for more in a transaction, and nothing of it happens', async (t) => {
    const { broker } = await limitedBroker({ stagedPerChannelMax: 3 });
    const raw = await broker.rawChannel(t);
    await publish(raw, 1);
    await raw.call(1, 'tx.select');
    const { args } = (await raw.get(1, 'q', false))!;
    raw.sendMethod(1, 'basic.ack', { deliveryTag: args.deliveryTag as number });
    for (let i = 0; i < 2; i++) raw.publish(1, { routingKey: 'q' }, 'staged');
    await raw.call(1, 'tx.commit');
    for (let i = 0; i < 4; i++) raw.publish(1, { routingKey: 'q' }, 'too many');
    const text =
      'a transaction may have no more than 3 publishes and settlements: commit more often';
    await raw.expectClose(1, channelClose(406, text, 'basic.publish'));
    await raw.openChannel(1);
    assert.deepEqual(await raw.drain(1, 'q'), ['staged', 'staged']);
  });

  test('406 for more acknowledgements in a transaction', async (t) => {
    const { broker } = await limitedBroker({ stagedPerChannelMax: 1 });
    const raw = await broker.rawChannel(t);
    await publish(raw, 2);
    await raw.call(1, 'tx.select');
    const tags = [await raw.get(1, 'q', false), await raw.get(1, 'q', false)];
    for (const got of tags) {
      raw.sendMethod(1, 'basic.ack', { deliveryTag: got?.args.deliveryTag as number });
    }
    const text =
      'a transaction may have no more than 1 publishes and settlements: commit more often';
    await raw.expectClose(1, channelClose(406, text, 'basic.ack'));
    await raw.openChannel(1);
    assert.deepEqual(await raw.drain(1, 'q'), ['message 0', 'message 1']);
  });
});
