import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, frameType } from '../wire/frame.js';
import { connectionClose } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();
const heartbeat = encodeFrame(frameType.heartbeat, 0);

describe('heartbeats', { concurrency: true }, () => {
  test('the broker sends them, and a client that answers in kind lives', async (t) => {
    const raw = await broker.rawChannel(t, { heartbeatSeconds: 1 });
    // An interval of 1 s and one heartbeat every half of it: after 8 the client is past any cut.
    for (let count = 0; count < 8; count++) {
      const frame = await raw.nextFrame();
      assert.deepEqual([frame.type, frame.channel, frame.payload.length], [8, 0, 0]);
      raw.send(heartbeat);
    }
    await raw.expectNothing(1);
  });

  test('any other traffic keeps a client alive', async (t) => {
    const raw = await broker.rawChannel(t, { heartbeatSeconds: 1 });
    for (let count = 0; count < 8; count++) {
      // The broker's answers count as its own traffic, so what paces this are its heartbeats alone.
      const frame = await raw.nextFrame();
      if (frame.type === frameType.heartbeat) raw.sendMethod(1, 'basic.ack', { multiple: true });
    }
    await raw.expectNothing(1);
  });

  test('a client that falls silent is cut, without connection.close; others are not', async (t) => {
    const patient = await broker.rawChannel(t, { heartbeatSeconds: 0 });
    const silent = await broker.rawChannel(t, { heartbeatSeconds: 1 });
    await assert.rejects(async () => {
      for (;;) assert.equal((await silent.nextFrame()).type, frameType.heartbeat);
    }, /socket's end/);
    // 0 disables: nothing came meanwhile, and nothing was missed.
    patient.sendMethod(1, 'channel.flow', { active: true });
    assert.equal((await patient.nextFrame()).type, frameType.method);
  });

  test('an amqplib client with an interval of 1 s lives while idle', async (t) => {
    const connection = await broker.amqplib(t, { heartbeat: 1 });
    const raw = await broker.rawChannel(t, { heartbeatSeconds: 1 });
    let cut = false;
    connection.on('close', () => {
      cut = true;
    });
    for (let count = 0; count < 8; count++) {
      await raw.nextFrame();
      raw.send(heartbeat);
    }
    assert.equal(cut, false);
    const channel = await connection.createChannel();
    await channel.close();
  });

  test('a heartbeat is taken amid content and where none was agreed on', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.send(heartbeat);
    await raw.expectNothing(1);
  });

  test('a heartbeat on channel 1 is 505', async (t) => {
    const raw = await broker.rawChannel(t);
    raw.send(encodeFrame(frameType.heartbeat, 1));
    await raw.expectClose(0, connectionClose(505, 'type 8, all octets = <<>>'));
  });
});
