import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type RunningBroker, startBroker } from '@leveret/broker';
import { type Channel, type ChannelModel, connect, type GetMessage } from 'amqplib';
import { HandTurnedClock } from '../simulation/hand-turned-clock.js';

const DEAD = { deadLetterExchange: '', deadLetterRoutingKey: 'dead' };

interface World {
  readonly broker: RunningBroker;
  readonly connection: ChannelModel;
  readonly channel: Channel;
  readonly clock: HandTurnedClock;
}

/** A broker whose time is turned by hand, with a client. */
async function world(
  t: TestContext,
  directory: string,
  clock: HandTurnedClock = new HandTurnedClock(),
): Promise<World> {
  const broker = await startBroker({ port: 0, clock, storage: { directory } });
  t.after(() => broker.close());
  // A heartbeat would not be heard in time: it passes by leaps.
  const connection = await connect(`${broker.url}?heartbeat=0`);
  connection.on('error', () => {});
  return { broker, connection, channel: await connection.createChannel(), clock };
}

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-retry-'));
  t.after(() => rm(directory, { recursive: true, maxRetries: 3 }));
  return directory;
}

async function taken(channel: Channel, queue: string): Promise<GetMessage> {
  const message = await channel.get(queue);
  assert.ok(message !== false, `${queue} is empty`);
  return message;
}

async function ready({ channel }: World, queue: string): Promise<number> {
  return (await channel.checkQueue(queue)).messageCount;
}

describe('a queue that tries again', () => {
  test('waits longer each time, and sends to the dead letters in the end', async (t) => {
    const at = await world(t, await directoryFor(t));
    const args = { 'x-retry-delay': 1_000, 'x-retry-max-count': 2 };
    await at.channel.assertQueue('dead');
    await at.channel.assertQueue('jobs', { ...DEAD, arguments: args });
    at.channel.sendToQueue('jobs', Buffer.from('job'), { persistent: true });
    for (const [count, wait] of [
      [undefined, 1_000],
      [1, 2_000],
    ] as const) {
      const message = await taken(at.channel, 'jobs');
      assert.equal(message.properties.headers?.['x-delivery-count'], count);
      at.channel.nack(message, false, false);
      assert.equal(await ready(at, 'jobs'), 0);
      at.clock.advance(wait - 1);
      assert.equal(await ready(at, 'jobs'), 0);
      at.clock.advance(1);
      assert.equal(await ready(at, 'jobs'), 1);
    }
    at.channel.nack(await taken(at.channel, 'jobs'), false, false);
    const letter = await taken(at.channel, 'dead');
    assert.equal(letter.properties.headers?.['x-death']?.[0]?.reason, 'rejected');
  });

  test('tells a channel that ends from a message that is given back', async (t) => {
    const at = await world(t, await directoryFor(t));
    const args = { 'x-delayed-retry-type': 'failed', 'x-delayed-retry-min': 1_000 };
    await at.channel.assertQueue('jobs', { arguments: args });
    at.channel.sendToQueue('jobs', Buffer.from('job'));
    at.channel.nack(await taken(at.channel, 'jobs'), false, true);
    assert.equal(await ready(at, 'jobs'), 1);
    await taken(at.channel, 'jobs');
    await at.channel.recover();
    assert.equal(await ready(at, 'jobs'), 1);
    const other = await at.connection.createChannel();
    await taken(other, 'jobs');
    await other.close();
    assert.equal(await ready(at, 'jobs'), 0);
    at.clock.advance(3_000);
    assert.equal(await ready(at, 'jobs'), 1);
  });

  test('goes on waiting after a restart, and not longer', async (t) => {
    const directory = await directoryFor(t);
    const before = await world(t, directory);
    const { channel } = before;
    const args = { 'x-retry-delay': 10_000, 'x-retry-max-count': 9 };
    await channel.assertQueue('jobs', { arguments: args, maxPriority: 2 });
    const definition = { 'retry-delay': 60_000, 'retry-max-count': 1 };
    before.broker.vhost('/').policies.set({ name: 'p', pattern: '^governed$', definition });
    await channel.assertQueue('governed');
    for (const queue of ['jobs', 'governed']) {
      for (const label of ['a', 'b']) {
        channel.sendToQueue(queue, Buffer.from(label), { persistent: true, priority: 1 });
      }
      channel.nack(await taken(channel, queue), false, true);
    }
    await ready(before, 'jobs');
    await before.broker.close();
    for (let restarts = 0; restarts < 2; restarts++) {
      const clock = new HandTurnedClock();
      clock.advance(4_000);
      const after = await world(t, directory, clock);
      assert.equal(await ready(after, 'jobs'), 1);
      assert.equal(await ready(after, 'governed'), 1);
      await after.broker.close();
    }
    const clock = new HandTurnedClock();
    clock.advance(9_999);
    const after = await world(t, directory, clock);
    assert.equal(await ready(after, 'jobs'), 1);
    clock.advance(1);
    const message = await taken(after.channel, 'jobs');
    assert.equal(message.content.toString(), 'a');
    assert.equal(message.fields.redelivered, true);
    assert.equal(message.properties.headers?.['x-delivery-count'], 1);
    clock.advance(50_000);
    const governed = await taken(after.channel, 'governed');
    assert.equal(governed.content.toString(), 'a');
    // It has come back as often as it may.
    after.channel.nack(governed, false, true);
    clock.advance(600_000);
    assert.equal(await ready(after, 'governed'), 1);
  });
});
