import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { ReadBuffer } from './read-buffer.js';

test('what comes over all sockets comes into the same memory, one after the other', async () => {
  const readBuffer = new ReadBuffer();
  const memory = new Set<ArrayBufferLike>();
  const texts = new Map<number, string>();
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    assert.equal(readBuffer.lendTo(socket), true, 'Node.js keeps it somewhere else now');
    accepted.push(socket);
    socket.on('data', (chunk: Buffer) => {
      memory.add(chunk.buffer);
      const port = socket.remotePort ?? 0;
      texts.set(port, (texts.get(port) ?? '') + chunk.toString('latin1'));
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const expected = new Map<number, string>();
  const clients = await Promise.all(
    [1, 70_000, 300_000].map(async (bytes, at) => {
      const client = connect(port, '127.0.0.1');
      await once(client, 'connect');
      const text = `${at}`.repeat(bytes);
      expected.set(client.localPort ?? 0, text);
      client.end(text);
      return client;
    }),
  );
  await Promise.all(clients.map((client) => client.closed || once(client, 'close')));
  await new Promise((resolve) => server.close(resolve));
  assert.deepEqual(texts, expected);
  assert.equal(memory.size, 1);
});

test('a socket that is paused brings nothing until it is resumed', async () => {
  const readBuffer = new ReadBuffer();
  const server = createServer((socket) => {
    readBuffer.lendTo(socket);
    server.emit('accepted', socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  const [socket] = (await once(server, 'accepted')) as [Socket];
  const events: string[] = [];
  socket.on('data', (chunk: Buffer) => {
    events.push(chunk.toString());
    socket.pause();
    setImmediate(() => {
      events.push('resumed');
      socket.resume();
    });
  });
  client.write('one');
  while (events.length < 2) await new Promise(setImmediate);
  client.end('two');
  await once(socket, 'end');
  assert.deepEqual(events.slice(0, 3), ['one', 'resumed', 'two']);
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test('a socket of which nothing is known is left alone', () => {
  const socket = { _handle: undefined };
  assert.equal(new ReadBuffer().lendTo(socket as unknown as Socket), false);
  assert.deepEqual(Object.getOwnPropertySymbols(socket), []);
});
