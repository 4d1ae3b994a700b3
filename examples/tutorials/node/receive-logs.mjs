// 3 Publish and subscribe: print the log lines sent from now on.
//
//   node receive-logs.mjs
import { connect } from 'amqplib';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertExchange('logs', 'fanout', { durable: false });

// No name: the broker makes one up. Exclusive: the queue goes when this connection does.
const { queue } = await channel.assertQueue('', { exclusive: true });
await channel.bindQueue(queue, 'logs', '');

await channel.consume(
  queue,
  (message) => {
    if (message !== null) console.log(`Received '${message.content}'`);
  },
  { noAck: true },
);

console.log('Waiting for logs, Ctrl+C to stop');
process.once('SIGINT', () => connection.close());
