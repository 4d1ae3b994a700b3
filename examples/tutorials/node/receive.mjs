// 1 Hello: print every message of the queue `hello` until interrupted.
//
//   node receive.mjs
import { connect } from 'amqplib';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertQueue('hello', { durable: false });

await channel.consume(
  'hello',
  (message) => {
    if (message !== null) console.log(`Received '${message.content}'`);
  },
  { noAck: true },
);

console.log('Waiting for messages, Ctrl+C to stop');
process.once('SIGINT', () => connection.close());
