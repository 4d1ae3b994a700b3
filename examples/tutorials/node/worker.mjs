// 2 Work queues: take tasks one after the other. Start several to share the work.
//
//   node worker.mjs [--seconds-per-dot 1] [--prefetch 1]
//
// A task is acknowledged when it is done, so if a worker dies its tasks go to another one.
import { parseArgs } from 'node:util';
import { connect } from 'amqplib';

const { values } = parseArgs({
  options: {
    'seconds-per-dot': { type: 'string', default: '1' },
    prefetch: { type: 'string', default: '1' },
  },
});
const secondsPerDot = Number(values['seconds-per-dot']);

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertQueue('task_queue', { durable: true });

// At most this many tasks that are not yet acknowledged; 0 lifts the limit. With 1 the broker
// gives the next task to whoever is free, without a limit it deals them out like cards.
await channel.prefetch(Number(values.prefetch));

await channel.consume('task_queue', (message) => {
  if (message === null) return;
  const task = message.content.toString();
  console.log(`Received '${task}'${message.fields.redelivered ? ' (redelivered)' : ''}`);
  const dots = task.split('.').length - 1;
  setTimeout(
    () => {
      channel.ack(message);
      console.log(`Done '${task}'`);
    },
    dots * secondsPerDot * 1000,
  );
});

console.log('Waiting for tasks, Ctrl+C to stop');
process.once('SIGINT', () => connection.close());
