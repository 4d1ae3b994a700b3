import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'amqplib';
import { RawConnection } from '../wire/raw-connection.js';
import { LeveretProcess } from './leveret-process.js';

describe('leveret, stopping', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`exits 0 on ${signal}`, async (t) => {
      const server = await LeveretProcess.start(t);
      server.signal(signal);
      assert.deepEqual(await server.exited, { code: 0, signal: null }, server.stderr);
    });
  }

  it('tells its clients with connection.close 320 and exits 0', async (t) => {
    const server = await LeveretProcess.start(t);
    const connection = await connect(await server.ready());
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('');
    await channel.consume(queue, () => {});
    const closed = once(connection, 'close');
    server.signal('SIGTERM');
    const [reason] = await closed;
    assert.match(String(reason), /320 .*CONNECTION_FORCED/);
    assert.deepEqual(await server.exited, { code: 0, signal: null }, server.stderr);
  });

  it('does not wait for ever for a client that says nothing', async (t) => {
    const server = await LeveretProcess.start(t);
    const socket = connectSocket(await server.port(), '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    server.signal('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null }, server.stderr);
  });

  it('does not wait for ever for a client that does not agree, or does not read', async (t) => {
    const server = await LeveretProcess.start(t);
    const silent = await RawConnection.handshake(await server.port());
    const deaf = await RawConnection.handshake(await server.port());
    t.after(() => silent.destroy());
    t.after(() => deaf.destroy());
    await deaf.openChannel(1);
    await deaf.call(1, 'queue.declare', { queue: 'q' });
    for (let i = 0; i < 40; i++) deaf.publish(1, { routingKey: 'q' }, Buffer.alloc(1_000_000));
    await deaf.untilReady(1, 'q', 40);
    deaf.pause(true);
    deaf.sendMethod(1, 'basic.consume', { queue: 'q', noAck: true });
    await silent.openChannel(1);
    server.signal('SIGTERM');
    const { args } = await silent.expectMethod('connection.close', 0);
    assert.equal(args.replyCode, 320);
    assert.deepEqual(await server.exited, { code: 0, signal: null }, server.stderr);
  });

  it('keeps what was confirmed, whatever its clients do', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'leveret-stop-'));
    t.after(() => rm(directory, { recursive: true }));
    const first = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
    const publisher = await RawConnection.handshake(await first.port());
    t.after(() => publisher.destroy());
    await publisher.openChannel(1);
    await publisher.call(1, 'confirm.select');
    await publisher.call(1, 'queue.declare', { queue: 'q', durable: true });
    let confirmed = 0;
    for (; confirmed < 100; confirmed++) {
      publisher.publish(1, { routingKey: 'q' }, `${confirmed}`, { deliveryMode: 2 });
      await publisher.expectMethod('basic.ack', 1);
    }
    // It goes on, and never agrees to the end.
    const going = setInterval(() => {
      publisher.publish(1, { routingKey: 'q' }, 'more', { deliveryMode: 2 });
    }, 1);
    first.signal('SIGTERM');
    assert.deepEqual(await first.exited, { code: 0, signal: null }, first.stderr);
    clearInterval(going);
    const second = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
    const reader = await RawConnection.handshake(await second.port());
    t.after(() => reader.destroy());
    await reader.openChannel(1);
    const kept = (await reader.drain(1, 'q')).slice(0, confirmed);
    assert.deepEqual(
      kept,
      Array.from({ length: confirmed }, (_, i) => `${i}`),
    );
  });

  it('frees the port for the next one', async (t) => {
    const first = await LeveretProcess.start(t);
    const port = await first.port();
    const connection = await connect(await first.ready());
    connection.on('error', () => {});
    first.signal('SIGTERM');
    await first.exited;
    const second = LeveretProcess.run(t, '--port', String(port));
    assert.equal(await second.port(), port);
  });

  it('keeps going when nobody reads its output any more', async (t) => {
    const server = await LeveretProcess.start(t, '--log-level', 'trace');
    server.child.stderr?.destroy();
    server.child.stdout?.destroy();
    for (let turn = 0; turn < 3; turn++) {
      const connection = await connect(await server.ready());
      await connection.close();
    }
    server.signal('SIGTERM');
    assert.deepEqual(await server.exited, { code: 0, signal: null });
  });
});
