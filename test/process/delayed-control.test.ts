import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Broker, Refusal, type RunningBroker, startBroker } from '@leveret/broker';
import { type ConfirmChannel, connect } from 'amqplib';
import { HandTurnedClock } from '../simulation/hand-turned-clock.js';

const MINUTE = 60_000;

/** A broker whose time is turned by hand, with an exchange `later` and a queue `due`. */
async function world(
  t: TestContext,
  directory: string,
  clock: HandTurnedClock = new HandTurnedClock(),
): Promise<{ broker: RunningBroker; channel: ConfirmChannel; clock: HandTurnedClock }> {
  const storage = { directory, memoryBytes: 1 };
  const broker = await startBroker({ port: 0, clock, storage });
  t.after(() => broker.close());
  // A heartbeat would not be heard in time: it passes by leaps.
  const connection = await connect(`${broker.url}?heartbeat=0`);
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  const args = { 'x-delayed-type': 'direct' };
  await channel.assertExchange('later', 'x-delayed-message', { arguments: args });
  await channel.assertQueue('due');
  await channel.bindQueue('due', 'later', 'k');
  return { broker, channel, clock };
}

async function directoryFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-delayed-'));
  t.after(() => rm(directory, { recursive: true, maxRetries: 3 }));
  return directory;
}

async function publish(channel: ConfirmChannel, label: string, delay: number): Promise<void> {
  const headers = { 'x-delay': delay, label };
  const options = { persistent: true, messageId: `id ${label}`, headers };
  channel.publish('later', 'k', Buffer.from(label), options);
  await channel.waitForConfirms();
}

async function takeAll(channel: ConfirmChannel): Promise<string[]> {
  const taken: string[] = [];
  for (;;) {
    const message = await channel.get('due', { noAck: true });
    if (message === false) return taken;
    taken.push(message.content.toString());
  }
}

async function labels(broker: Broker | RunningBroker): Promise<unknown[]> {
  const messages = await broker.vhost('/').delayed.list();
  return messages.map(({ headers }) => headers.label);
}

describe('delayed messages of an embedded broker', () => {
  test('are listed by due time, a page at a time', async (t) => {
    const { broker, channel, clock } = await world(t, await directoryFor(t));
    const { delayed } = broker.vhost('/');
    assert.deepEqual(await delayed.list(), []);
    for (const [label, minutes] of [
      ['c', 3],
      ['a', 1],
      ['d', 3],
      ['b', 2],
    ] as const) {
      await publish(channel, label, minutes * MINUTE);
    }
    assert.equal(delayed.count(), 4);
    assert.equal(delayed.count('later'), 4);
    assert.equal(delayed.count('amq.direct'), 0);
    assert.throws(() => delayed.count('nowhere'), Refusal);
    const [first, second] = await delayed.list({ limit: 2 });
    assert.deepEqual(first, {
      id: first?.id,
      dueAt: new Date(clock.wallTime() + MINUTE),
      exchange: 'later',
      routingKey: 'k',
      messageId: 'id a',
      headers: { 'x-delay': MINUTE, label: 'a' },
      bodyBytes: 1,
    });
    const rest = await delayed.list({ exchange: 'later', limit: 2, after: second! });
    assert.deepEqual(
      rest.map(({ headers }) => headers.label),
      ['c', 'd'],
    );
    assert.deepEqual(await delayed.list({ after: rest[1]! }), []);
    await assert.rejects(delayed.list({ limit: 0 }), RangeError);
    await assert.rejects(delayed.list({ after: { id: '?', dueAt: new Date() } }), RangeError);
  });

  test('are dropped, or delivered at once, one by one', async (t) => {
    const { broker, channel, clock } = await world(t, await directoryFor(t));
    const { delayed } = broker.vhost('/');
    for (const label of ['a', 'b', 'c']) await publish(channel, label, MINUTE);
    const [a, b] = await delayed.list();
    assert.equal(delayed.cancel(a!.id), true);
    assert.equal(delayed.cancel(a!.id), false);
    assert.equal(await delayed.fire(a!.id), false);
    assert.equal(await delayed.fire(b!.id), true);
    assert.equal(await delayed.fire(b!.id), false);
    assert.equal(delayed.cancel('nonsense'), false);
    assert.deepEqual(await takeAll(channel), ['b']);
    clock.advance(MINUTE);
    assert.deepEqual(await takeAll(channel), ['c']);
    assert.equal(delayed.count(), 0);
  });

  test('wait through a restart; what fell due meanwhile goes at once, in order', async (t) => {
    const directory = await directoryFor(t);
    const before = await world(t, directory);
    for (const [label, minutes] of [
      ['d', 9],
      ['b', 2],
      ['a', 1],
      ['gone', 1],
      ['c', 2],
    ] as const) {
      await publish(before.channel, label, minutes * MINUTE);
    }
    const [, gone] = await before.broker.vhost('/').delayed.list();
    assert.equal(gone?.headers.label, 'gone');
    before.broker.vhost('/').delayed.cancel(gone.id);
    await before.broker.close();
    const clock = new HandTurnedClock();
    clock.advance(3 * MINUTE);
    const after = await world(t, directory, clock);
    clock.advance(1);
    while ((await after.channel.checkQueue('due')).messageCount < 3) clock.advance(1);
    assert.deepEqual(await takeAll(after.channel), ['a', 'b', 'c']);
    assert.deepEqual(await labels(after.broker), ['d']);
    clock.advance(6 * MINUTE - 1_000);
    assert.deepEqual(await takeAll(after.channel), []);
    clock.advance(1_000);
    while ((await after.channel.checkQueue('due')).messageCount < 1) clock.advance(1);
    assert.deepEqual(await takeAll(after.channel), ['d']);
  });

  test('are read from the disk before they are due, wherever they lie', async (t) => {
    const { broker, channel, clock } = await world(t, await directoryFor(t));
    const count = 3_000;
    const delays = Array.from({ length: count }, (_, i) => 1_000 + ((i * 7_919) % count));
    for (const [i, delay] of delays.entries()) {
      const options = { persistent: true, headers: { 'x-delay': delay } };
      channel.publish('later', 'k', Buffer.from(String(delay).padEnd(i % 300)), options);
    }
    await channel.waitForConfirms();
    assert.equal(broker.vhost('/').delayed.count(), count);
    while ((await channel.checkQueue('due')).messageCount < count) clock.advance(100);
    const taken = (await takeAll(channel)).map(Number);
    assert.deepEqual(
      taken,
      delays.toSorted((a, b) => a - b),
    );
  });
});
