import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'amqplib';
import { LeveretProcess } from './leveret-process.js';

const ON = { 'x-message-deduplication': true };
const WINDOW = { ...ON, 'x-cache-size': 100_000, 'x-cache-ttl': 3_600_000 };
const MESSAGES = 500;

describe('leveret, started again with what it kept duplicates out of', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`knows every key that it confirmed before ${signal}`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'leveret-data-'));
      t.after(() => rmSync(directory, { recursive: true }));
      const first = await start(t, directory);
      assert.deepEqual(await publishAll(await first.ready()), [MESSAGES, MESSAGES, MESSAGES]);
      first.signal(signal);
      await first.exited;
      const second = await start(t, directory);
      const kept = await publishAll(await second.ready(), true);
      // What was taken out is new where a key counts while its message is there.
      assert.deepEqual(kept, [MESSAGES - 1, MESSAGES - 1, MESSAGES]);
      second.signal('SIGTERM');
      await second.exited;
    });
  }
});

async function start(t: TestContext, directory: string): Promise<LeveretProcess> {
  const server = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
  await server.ready();
  return server;
}

/**
 * Publishes to an exchange and a queue with windows and to a queue that goes by what is in it, and
 * says what each queue then holds; beforehand it may take a message out of each.
 */
async function publishAll(url: string, takesOne = false): Promise<number[]> {
  const connection = await connect(url);
  // The broker ends this connection, or dies with it.
  connection.on('error', () => {});
  const channel = await connection.createConfirmChannel();
  await channel.assertExchange('once', 'fanout', { arguments: WINDOW });
  await channel.assertQueue('behind');
  await channel.bindQueue('behind', 'once', '');
  await channel.assertQueue('window', { arguments: WINDOW });
  await channel.assertQueue('present', { arguments: ON });
  const queues = ['behind', 'window', 'present'];
  for (const queue of takesOne ? queues : []) {
    const message = await channel.get(queue);
    assert.ok(message !== false);
    channel.ack(message);
  }
  for (let i = 0; i < MESSAGES; i++) {
    const options = { persistent: true, messageId: `message ${i}` };
    const body = Buffer.alloc(100);
    channel.publish('once', '', body, options);
    for (const queue of ['window', 'present']) channel.sendToQueue(queue, body, options);
  }
  await channel.waitForConfirms();
  const counts: number[] = [];
  for (const queue of queues) counts.push((await channel.checkQueue(queue)).messageCount);
  return counts;
}
