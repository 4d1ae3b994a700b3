// 4 Routing: send a log line under its severity.
//
//   node emit-log-direct.mjs [severity] [line]
import { connect } from 'amqplib';

const [severity = 'info', ...words] = process.argv.slice(2);
const line = words.join(' ') || 'all is quiet';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();

// A direct exchange gives a message to the queues bound with exactly its routing key.
await channel.assertExchange('direct_logs', 'direct', { durable: false });
channel.publish('direct_logs', severity, Buffer.from(line));
console.log(`Sent ${severity}: '${line}'`);

await channel.close();
await connection.close();
