import { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';
import type { BrokerUnderTest } from '../broker-under-test.js';

/** What the tutorials declare: their names are fixed, as in any tutorial. */
const queues = ['hello', 'task_queue', 'rpc_queue'];
const exchanges = ['logs', 'direct_logs', 'topic_logs', 'header_logs'];

/** Held by the test file whose turn it is. */
const turnQueue = 'tutorials-turn';
const patienceMs = 180_000;

/**
 * Two files of tutorials must not run at the same time against one broker, as each would consume
 * the other's messages. An exclusive queue is the lock: it is free when the connection of its owner
 * is gone. The turn begins with nothing declared, and ends after the last test. A broker that
 * runs in this process is seen by no other file.
 */
export async function takeTutorialTurn(broker: BrokerUnderTest): Promise<void> {
  if (broker.isOwn) return;
  const connection = await connect(broker.url);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const channel = await connection.createChannel();
    // The refusal also comes as the promise's rejection; unhandled it would end the process.
    channel.on('error', () => undefined);
    try {
      await channel.assertQueue(turnQueue, { exclusive: true });
      break;
    } catch (error) {
      if (!isResourceLocked(error) || Date.now() > deadline) throw error;
      await delay(100);
    }
  }
  const channel = await connection.createChannel();
  const clear = async (): Promise<void> => {
    for (const queue of queues) await channel.deleteQueue(queue);
    for (const exchange of exchanges) await channel.deleteExchange(exchange);
  };
  await clear();
  after(async () => {
    await clear();
    await connection.close();
  });
}

function isResourceLocked(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 405;
}
