import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, frameType, protocolHeader } from '../wire/frame.js';
import { connectionClose } from '../wire/raw-connection.js';
import { encodeContentHeader, encodeMethod } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

describe('connection.tune', { concurrency: true }, () => {
  test('offers 2047 channels, frames of 131072 bytes and heartbeats of 60 s', async (t) => {
    const raw = await broker.socket(t);
    const { args } = await raw.authenticate();
    assert.deepEqual({ ...args }, { channelMax: 2047, frameMax: 131072, heartbeat: 60 });
  });

  for (const [what, refused] of [
    ['no frame-max', { frameMax: 0 }],
    ['a frame-max below the minimum', { frameMax: 4095 }],
    ['a frame-max above the offer', { frameMax: 131073 }],
    ['no channel-max', { channelMax: 0 }],
    ['a channel-max above the offer', { channelMax: 2048 }],
  ] as const) {
    test(`${what}: the socket is closed in silence`, async (t) => {
      const raw = await broker.socket(t);
      await raw.authenticate();
      raw.sendMethod(0, 'connection.tune-ok', { channelMax: 2047, frameMax: 131072, ...refused });
      raw.sendMethod(0, 'connection.open', { virtualHost: '/' });
      await raw.expectEnd();
    });
  }

  for (const frameMax of [4096, 8192, 131072]) {
    test(`bodies come in frames of at most ${frameMax} bytes, envelope included`, async (t) => {
      const raw = await broker.rawChannel(t, { frameMax });
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      const largest = frameMax - 8;
      for (const [bytes, sizes] of [
        [largest - 1, [largest - 1]],
        [largest, [largest]],
        [largest + 1, [largest, 1]],
        [2 * largest, [largest, largest]],
      ] as const) {
        raw.publish(1, { routingKey: queue }, Buffer.alloc(bytes, 'b'), {}, frameMax);
        const message = await raw.get(1, queue);
        assert.deepEqual(message?.bodyFrameSizes, sizes);
      }
    });

    test(`with frame-max ${frameMax} a payload of that size is taken, one more is 501`, async (t) => {
      const raw = await broker.rawChannel(t, { frameMax });
      const queue = broker.queueName();
      await raw.call(1, 'queue.declare', { queue });
      const publishInOneFrame = (bytes: number): void => {
        raw.sendMethod(1, 'basic.publish', { routingKey: queue });
        raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(bytes, {})));
        raw.send(encodeFrame(frameType.body, 1, Buffer.alloc(bytes, 'b')));
      };
      publishInOneFrame(frameMax);
      assert.equal((await raw.get(1, queue))?.body.length, frameMax);
      publishInOneFrame(frameMax + 1);
      const why = `{frame_too_large,${frameMax + 1},${frameMax - 8}}`;
      await raw.expectClose(0, connectionClose(501, `type 3, all octets = <<>>: ${why}`));
    });
  }

  test('before the tuning a payload of 4096 bytes is taken, one more is not', async (t) => {
    const startOk = (bytes: number): Buffer => {
      const encode = (padding: number): Buffer =>
        encodeMethod('connection.start-ok', {
          clientProperties: { padding: 'p'.repeat(padding) },
          mechanism: 'PLAIN',
          response: '\0guest\0guest',
        });
      return encodeFrame(frameType.method, 0, encode(bytes - encode(0).length));
    };
    const accepted = await broker.socket(t);
    accepted.send(protocolHeader);
    await accepted.expectMethod('connection.start', 0);
    accepted.send(startOk(4096));
    await accepted.expectMethod('connection.tune', 0);
    const refused = await broker.socket(t);
    refused.send(protocolHeader);
    await refused.expectMethod('connection.start', 0);
    refused.send(startOk(4097));
    await refused.expectEnd();
  });

  test('530 for one channel more than channel-max; the numbers may be higher', async (t) => {
    const raw = await broker.raw(t, { channelMax: 3 });
    for (const channel of [1, 2, 2047]) await raw.openChannel(channel);
    await raw.call(2, 'channel.close', { replyCode: 200 });
    await raw.openChannel(5);
    raw.sendMethod(3, 'channel.open');
    await raw.expectClose(
      0,
      connectionClose(
        530,
        'number of channels opened (3) has reached the negotiated channel_max (3)',
      ),
    );
  });
});
