// 5 Topics: send a log line under a key of words, such as `kern.critical`.
//
//   node emit-log-topic.mjs [facility.severity] [line]
import { connect } from 'amqplib';

const [routingKey = 'anonymous.info', ...words] = process.argv.slice(2);
const line = words.join(' ') || 'all is quiet';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertExchange('topic_logs', 'topic', { durable: false });
channel.publish('topic_logs', routingKey, Buffer.from(line));
console.log(`Sent ${routingKey}: '${line}'`);

await channel.close();
await connection.close();
