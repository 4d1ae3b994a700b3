// 6 RPC, without a callback queue: the pseudo-queue `amq.rabbitmq.reply-to` brings the answer
// straight to this channel, and the broker keeps nothing for it.
//
//   node rpc-client-direct.mjs [n]
import { connect } from 'amqplib';

const n = process.argv[2] ?? '30';
const directReplyTo = 'amq.rabbitmq.reply-to';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();

// Consume first, without acknowledgements, and send the request on the same channel.
await channel.consume(
  directReplyTo,
  (reply) => {
    console.log(`Got ${reply?.content}`);
    void connection.close();
  },
  { noAck: true },
);

console.log(`Asking for fib(${n})`);
channel.sendToQueue('rpc_queue', Buffer.from(n), { replyTo: directReplyTo });
