// 3 Publish and subscribe: send a log line to everyone who listens at this moment.
//
//   node emit-log.mjs [line]
import { connect } from 'amqplib';

const line = process.argv.slice(2).join(' ') || 'info: all is quiet';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();

// A fanout exchange copies each message to all queues bound to it and ignores the routing key.
await channel.assertExchange('logs', 'fanout', { durable: false });
channel.publish('logs', '', Buffer.from(line));
console.log(`Sent '${line}'`);

await channel.close();
await connection.close();
