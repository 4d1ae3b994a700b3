// 1 Hello: put one message for each argument into the queue `hello`.
//
//   node send.mjs [message ...]
import { connect } from 'amqplib';

const messages = process.argv.slice(2);
if (messages.length === 0) messages.push('Hello, hare!');

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();

// Declaring is idempotent, so the sender and the receiver both do it: either may start first.
await channel.assertQueue('hello', { durable: false });

for (const message of messages) {
  channel.sendToQueue('hello', Buffer.from(message));
  console.log(`Sent '${message}'`);
}

// The channel first: closing it waits until the broker has read all that was published on it.
await channel.close();
await connection.close();
