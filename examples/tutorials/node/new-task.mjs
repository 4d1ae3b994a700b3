// 2 Work queues: hand out tasks that survive a restart of the broker.
//
//   node new-task.mjs [task ...]        every dot in a task is a second of work
import { connect } from 'amqplib';

const tasks = process.argv.slice(2);
if (tasks.length === 0) tasks.push('dig a burrow...');

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createConfirmChannel();

// A durable queue and persistent messages: both are needed for a task to outlive the broker.
await channel.assertQueue('task_queue', { durable: true });

for (const task of tasks) {
  channel.sendToQueue('task_queue', Buffer.from(task), { persistent: true });
  console.log(`Sent '${task}'`);
}

// The broker's confirm says that it has the tasks in its keeping.
await channel.waitForConfirms();
await connection.close();
