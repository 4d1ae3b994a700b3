import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'amqplib';
import { LeveretProcess } from './leveret-process.js';

const queue = 'orders';
const texts = ['first', 'second', 'third'];

describe('leveret, started again on its data directory', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`has what it confirmed before ${signal}`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'leveret-data-'));
      t.after(() => rmSync(directory, { recursive: true }));
      const first = await start(t, directory);
      await publishConfirmed(await first.ready());
      first.signal(signal);
      await first.exited;
      const second = await start(t, directory);
      assert.deepEqual(await takeAll(await second.ready()), texts);
      second.signal('SIGTERM');
      await second.exited;
      const third = await start(t, directory);
      assert.deepEqual(await takeAll(await third.ready()), [], 'acknowledged, so gone');
    });
  }
});

async function start(t: TestContext, directory: string): Promise<LeveretProcess> {
  const server = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
  await server.ready();
  return server;
}

async function publishConfirmed(url: string): Promise<void> {
  const connection = await connect(url);
  // The broker ends this connection, or dies with it.
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true });
  for (const text of texts) {
    channel.sendToQueue(queue, Buffer.from(text), { persistent: true });
  }
  await channel.waitForConfirms();
}

/** Takes messages until there is none, acknowledges them, and waits until that has been read. */
async function takeAll(url: string): Promise<string[]> {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const taken: string[] = [];
  for (;;) {
    const message = await channel.get(queue);
    if (message === false) break;
    taken.push(message.content.toString());
    channel.ack(message);
  }
  await channel.close();
  await connection.close();
  return taken;
}
