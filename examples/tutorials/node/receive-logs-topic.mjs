// 5 Topics: print the log lines whose key matches any of the patterns.
//
//   node receive-logs-topic.mjs pattern [pattern ...]
//
// In a pattern `*` stands for one word and `#` for any number of words, none included:
// '#' is everything, 'kern.*' all of the kernel, '*.critical' the worst of everyone.
import { connect } from 'amqplib';

const patterns = process.argv.slice(2);
if (patterns.length === 0) {
  console.error('usage: node receive-logs-topic.mjs pattern [pattern ...]');
  process.exit(1);
}

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertExchange('topic_logs', 'topic', { durable: false });

const { queue } = await channel.assertQueue('', { exclusive: true });
for (const pattern of patterns) await channel.bindQueue(queue, 'topic_logs', pattern);

await channel.consume(
  queue,
  (message) => {
    if (message !== null) console.log(`${message.fields.routingKey}: '${message.content}'`);
  },
  { noAck: true },
);

console.log(`Waiting for ${patterns.join(', ')}, Ctrl+C to stop`);
process.once('SIGINT', () => connection.close());
