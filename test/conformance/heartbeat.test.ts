import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, frameType } from '../wire/frame.js';
import { connectionClose } from '../wire/raw-connection.js';
import { encodeMethod } from '../wire/wire-codec.js';
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
    let heartbeats = 0;
    await assert.rejects(async () => {
      for (; ; heartbeats++) assert.equal((await silent.nextFrame()).type, frameType.heartbeat);
    }, /socket's end/);
    // Twice in an interval (0-9-1 §4.2.7 asks for once, clients count on more), for two and a half.
    assert.ok(heartbeats >= 3, `${heartbeats} heartbeats before the cut`);
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

  test('a client whose answers pile up is not cut while it sends heartbeats', async (t) => {
    const raw = await broker.rawChannel(t, { heartbeatSeconds: 1 });
    const pace = await broker.rawChannel(t, { heartbeatSeconds: 1 });
    const queue = broker.queueName().padEnd(255, 'q');
    await raw.call(1, 'queue.declare', { queue, exclusive: true });
    await raw.call(1, 'basic.consume', { queue, noAck: true });
    // Deliveries fill what the sockets hold, then answers what a broker may hold for a client: it
    // has to stop reading, and must not hold against the client what it does not read.
    raw.pause(true);
    for (let count = 0; count < 200; count++) {
      pace.publish(1, { routingKey: queue }, Buffer.alloc(100_000));
    }
    const declare = encodeMethod('queue.declare', { queue, passive: true });
    for (let count = 0; count < 200; count++) {
      raw.send(
        Buffer.concat(Array.from({ length: 100 }, () => encodeFrame(frameType.method, 1, declare))),
      );
    }
    for (let count = 0; count < 8; count++) {
      await pace.nextFrame();
      for (const connection of [pace, raw]) connection.send(heartbeat);
    }
    raw.pause(false);
    const answers = { 'basic.deliver': 0, 'queue.declare-ok': 0 };
    while (answers['basic.deliver'] < 200 || answers['queue.declare-ok'] < 20_000) {
      const method = await raw.nextMethod();
      if (answers[method.name as keyof typeof answers] % 100 === 0) raw.send(heartbeat);
      if (method.name === 'basic.deliver') await raw.contentOf(method, 'basic.deliver', 1);
      else assert.equal(method.name, 'queue.declare-ok');
      answers[method.name as keyof typeof answers]++; // it is one of the two
    }
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
