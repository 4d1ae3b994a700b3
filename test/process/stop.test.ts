import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { describe, it } from 'node:test';
import { connect } from 'amqplib';
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
