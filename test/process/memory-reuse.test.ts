import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Channel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { LeveretProcess } from './leveret-process.js';

const EXCHANGE = 'everywhere';
/** As much as all memory that is kept to be used again, several times over. */
const MESSAGES = 8_000;
const BATCH = 400;
const SHORT_QUEUE_LENGTH = 50;

/** What a message says: no two say the same for as long as sixteen octets. */
function bodyOf(id: number): Buffer {
  const pattern = createHash('sha256').update(String(id)).digest();
  return Buffer.alloc((id * 7_919) % 9_500, pattern);
}

function check({ content, properties }: ConsumeMessage): number {
  const id = Number(properties.messageId);
  assert.ok(content.equals(bodyOf(id)), `message ${id} says what was published`);
  return id;
}

/** Publishes every other message persistent, confirmed in batches. */
async function publishAll(channel: ConfirmChannel): Promise<void> {
  for (let id = 0; id < MESSAGES; id++) {
    const options = { messageId: String(id), persistent: id % 2 === 0 };
    channel.publish(EXCHANGE, '', bodyOf(id), options);
    if ((id + 1) % BATCH === 0) await channel.waitForConfirms();
  }
}

async function declare(channel: Channel): Promise<void> {
  await channel.assertExchange(EXCHANGE, 'fanout', { durable: true });
  await channel.assertQueue('graves', { durable: true });
  await channel.assertQueue('short', {
    durable: true,
    maxLength: SHORT_QUEUE_LENGTH,
    deadLetterExchange: '',
    deadLetterRoutingKey: 'graves',
  });
  for (const queue of ['kept', 'at once', 'slow']) await channel.assertQueue(queue);
  for (const queue of ['short', 'kept', 'at once', 'slow']) {
    await channel.bindQueue(queue, EXCHANGE, '');
  }
}

/** Consumes until so many have come; `each` settles them. */
function consume(
  channel: Channel,
  queue: string,
  count: number,
  noAck: boolean,
  each: (message: ConsumeMessage) => void = () => {},
): Promise<void> {
  const seen = new Set<number>();
  return new Promise((resolve, reject) => {
    const take = (message: ConsumeMessage | null): void => {
      try {
        assert.ok(message);
        seen.add(check(message));
        each(message);
        if (seen.size === count) resolve();
      } catch (error) {
        reject(error);
      }
    };
    channel.consume(queue, take, { noAck }).catch(reject);
  });
}

test('messages say what was published, whatever memory they have had turns in', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'leveret-data-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const first = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
  const connection = await connect(await first.ready());
  // The broker is ended under it.
  connection.on('error', () => {});
  const publisher = await connection.createConfirmChannel();
  const consumer = await connection.createChannel();
  await declare(consumer);
  const atOnce = consume(consumer, 'at once', MESSAGES, true);
  await consumer.prefetch(150);
  // Every seventh goes back once, and comes again behind others that were freed meanwhile.
  const slow = consume(consumer, 'slow', MESSAGES, false, (message) => {
    const goesBack = check(message) % 7 === 0 && !message.fields.redelivered;
    if (goesBack) setImmediate(() => consumer.nack(message));
    else consumer.ack(message);
  });
  const graves = consume(consumer, 'graves', MESSAGES - SHORT_QUEUE_LENGTH, false, (message) =>
    consumer.ack(message),
  );
  await Promise.all([publishAll(publisher), atOnce, slow, graves]);
  first.signal('SIGKILL');
  await first.exited;

  const second = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
  const again = await connect(await second.ready());
  const reader = await again.createChannel();
  await consume(reader, 'short', SHORT_QUEUE_LENGTH / 2, true);
  await consume(reader, 'kept', MESSAGES / 2, true);
  await again.close();
});
