// 7 Headers: describe a message by several headers instead of one routing key.
//
//   node emit-log-headers.mjs line [header=value ...]
import { connect } from 'amqplib';

const [line = 'all is quiet', ...pairs] = process.argv.slice(2);
const headers = Object.fromEntries(pairs.map((pair) => pair.split('=')));

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertExchange('header_logs', 'headers', { durable: false });
channel.publish('header_logs', '', Buffer.from(line), { headers });
console.log(`Sent '${line}' with ${JSON.stringify(headers)}`);

await channel.close();
await connection.close();
