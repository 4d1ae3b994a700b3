// 4 Routing: print the log lines of some severities.
//
//   node receive-logs-direct.mjs severity [severity ...]
import { connect } from 'amqplib';

const severities = process.argv.slice(2);
if (severities.length === 0) {
  console.error('usage: node receive-logs-direct.mjs severity [severity ...]');
  process.exit(1);
}

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertExchange('direct_logs', 'direct', { durable: false });

const { queue } = await channel.assertQueue('', { exclusive: true });
for (const severity of severities) await channel.bindQueue(queue, 'direct_logs', severity);

await channel.consume(
  queue,
  (message) => {
    if (message !== null) console.log(`${message.fields.routingKey}: '${message.content}'`);
  },
  { noAck: true },
);

console.log(`Waiting for ${severities.join(', ')}, Ctrl+C to stop`);
process.once('SIGINT', () => connection.close());
