import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startBroker } from '@leveret/broker';
import { connectionClose, type RawConnection } from '../wire/raw-connection.js';
import { limitedBroker } from './limited-broker.js';

describe('as many peers as may be', () => {
  test('530 for a connection more, until one is gone', async (t) => {
    const { broker } = await limitedBroker({ connectionsMax: 2 });
    const first = await broker.amqplib(t);
    await broker.raw(t);
    const third = await broker.socket(t);
    await third.authenticate();
    third.sendMethod(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4096, heartbeat: 0 });
    third.sendMethod(0, 'connection.open', { virtualHost: '/' });
    const text = 'connection refused: node connection limit (2) is reached';
    await third.expectClose(0, connectionClose(530, text, 'connection.open'));
    await first.close();
    await (await broker.amqplib(t)).createChannel();
  });

  test('530 for a channel more, on its own connection', async (t) => {
    const { broker } = await limitedBroker({ channelsMax: 2 });
    const raw = await broker.raw(t, { channelMax: 2 });
    await raw.openChannel(1);
    await raw.openChannel(2);
    raw.sendMethod(3, 'channel.open');
    const text = 'number of channels opened (2) has reached the negotiated channel_max (2)';
    await raw.expectClose(0, connectionClose(530, text));
  });

  test('530 for a channel more than all connections together may have', async (t) => {
    const { broker } = await limitedBroker({ brokerChannelsMax: 2 });
    const first = await broker.raw(t);
    await first.openChannel(1);
    await first.openChannel(2);
    const second = await broker.raw(t);
    second.sendMethod(1, 'channel.open');
    const text =
      /^number of channels opened on node '.+' has reached the maximum allowed limit of 2$/;
    await second.expectClose(0, connectionClose(530, text));
    await first.call(2, 'channel.close', { replyCode: 200 });
    const third = await broker.raw(t);
    await third.openChannel(1);
  });

  test('of those in their handshake the oldest is cut off, and newcomers get by', async (t) => {
    const { broker, logged } = await limitedBroker({
      handshakesMax: 3,
      handshakeMilliseconds: 3_600_000,
    });
    const slow: RawConnection[] = [];
    for (let i = 0; i < 10; i++) {
      const socket = await broker.socket(t);
      await socket.start({ password: 'wrong' });
      slow.push(socket);
      const newcomer = await broker.raw(t);
      await newcomer.openChannel(1);
    }
    for (const socket of slow.slice(0, -3)) await untilEnd(socket);
    assert.deepEqual(logged.filter((text) => text.includes('for each one more')).length, 1);
  });

  test('a limit that is none keeps the broker from starting', async () => {
    const start = (limits: object): Promise<unknown> => startBroker({ port: 0, limits });
    await assert.rejects(start({ queueMax: 1 }), /^RangeError: No limit is called 'queueMax'/);
    await assert.rejects(
      start({ queuesMax: -1 }),
      /queuesMax is a whole number from 0 to infinity/,
    );
    await assert.rejects(
      start({ channelsMax: 65_536 }),
      /channelsMax .* from 1 to 65535, not 65536/,
    );
  });
});

/** Passes over what still comes. */
async function untilEnd(raw: RawConnection): Promise<void> {
  for (;;) {
    const frame = await raw.nextFrame().catch((error: Error) => {
      assert.match(error.message, /the socket's end$/);
    });
    if (frame === undefined) return;
  }
}
