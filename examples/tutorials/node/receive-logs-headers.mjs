// 7 Headers: print the messages that carry all, or any, of the given headers.
//
//   node receive-logs-headers.mjs all|any header=value [header=value ...]
import { connect } from 'amqplib';

const [match, ...pairs] = process.argv.slice(2);
if ((match !== 'all' && match !== 'any') || pairs.length === 0) {
  console.error('usage: node receive-logs-headers.mjs all|any header=value [header=value ...]');
  process.exit(1);
}
const headers = Object.fromEntries(pairs.map((pair) => pair.split('=')));

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertExchange('header_logs', 'headers', { durable: false });

const { queue } = await channel.assertQueue('', { exclusive: true });
await channel.bindQueue(queue, 'header_logs', '', { 'x-match': match, ...headers });

await channel.consume(
  queue,
  (message) => {
    if (message !== null) console.log(`Received '${message.content}'`);
  },
  { noAck: true },
);

console.log(`Waiting for ${match} of ${pairs.join(', ')}, Ctrl+C to stop`);
process.once('SIGINT', () => connection.close());
