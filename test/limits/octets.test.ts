import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, frameType } from '../wire/frame.js';
import { channelClose, connectionClose } from '../wire/raw-connection.js';
import { encodeContentHeader, encodeMethod } from '../wire/wire-codec.js';
import { limitedBroker } from './limited-broker.js';

const MEGABYTE = 1_048_576;

describe('as many octets as may be', () => {
  test('501 for a larger frame', async (t) => {
    const { broker } = await limitedBroker({ frameBytesMax: 5_000 });
    const raw = await broker.socket(t);
    const tune = await raw.authenticate();
    assert.equal(tune.args.frameMax, 5_000);
    await raw.openVhost({ frameMax: 5_000 });
    await raw.openChannel(1);
    raw.send(encodeFrame(frameType.body, 1, Buffer.alloc(5_001)));
    const text = /^type 3, all octets = <<>>: \{frame_too_large,5001,4992\}$/;
    await raw.expectClose(0, connectionClose(501, text));
  });

  test('406 for a larger message, when its size is announced', async (t) => {
    const { broker } = await limitedBroker({ messageBytesMax: 1_000 });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    raw.publish(1, { routingKey: 'q' }, Buffer.alloc(1_000));
    raw.sendMethod(1, 'basic.publish', { routingKey: 'q' });
    raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(1_001, {})));
    const text = 'message size 1001 is larger than configured max size 1000';
    await raw.expectClose(1, channelClose(406, text, 'basic.publish'));
    await raw.openChannel(1);
    assert.equal((await raw.drain(1, 'q')).length, 1);
  });

  test('who does not read the answers is not read from, even within a chunk', async (t) => {
    const { broker } = await limitedBroker({ outputBytesMax: MEGABYTE });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    raw.publish(1, { routingKey: 'q' }, Buffer.alloc(MEGABYTE));
    await raw.untilReady(1, 'q', 1);
    raw.pause(true);
    const before = process.memoryUsage().arrayBuffers;
    const gets = 400;
    const requests: Buffer[] = [];
    // Tags count up from 1: one message asked for again and again.
    for (let deliveryTag = 1; deliveryTag <= gets; deliveryTag++) {
      const get = encodeMethod('basic.get', { queue: 'q', noAck: false });
      const back = encodeMethod('basic.reject', { deliveryTag, requeue: true });
      requests.push(encodeFrame(frameType.method, 1, get), encodeFrame(frameType.method, 1, back));
    }
    const all = Buffer.concat(requests);
    assert.ok(all.length < 65_536, 'they come in one chunk');
    raw.send(all);
    for (let round = 0; round < 5; round++) await (await broker.raw(t)).close();
    const held = process.memoryUsage().arrayBuffers - before;
    assert.ok(held < 100 * MEGABYTE, `${held} octets are held for who does not read`);
    raw.pause(false);
    for (let i = 0; i < gets; i++) {
      const { body } = await raw.expectContent('basic.get-ok', 1);
      assert.equal(body.length, MEGABYTE);
    }
    await raw.expectNothing(1);
  });

  test('as many headers as fit in a frame', async (t) => {
    const { broker } = await limitedBroker({});
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    await raw.call(1, 'queue.bind', {
      queue: 'q',
      exchange: 'amq.headers',
      arguments: { 'x-match': 'all', 19999: true },
    });
    const headers = Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`${i}`, true]));
    raw.publish(1, { exchange: 'amq.headers' }, 'many', { headers: { ...headers, 19999: true } });
    assert.deepEqual(await raw.drain(1, 'q'), ['many']);
  });
});
