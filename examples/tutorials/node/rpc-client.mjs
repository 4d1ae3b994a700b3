// 6 RPC: ask for a Fibonacci number and wait for the answer in a callback queue.
//
//   node rpc-client.mjs [n]
import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';

const n = process.argv[2] ?? '30';

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();

const { queue: replyTo } = await channel.assertQueue('', { exclusive: true });
const correlationId = randomUUID();

await channel.consume(
  replyTo,
  (reply) => {
    // An answer to something else (a request sent before a restart, say) is ignored.
    if (reply?.properties.correlationId !== correlationId) return;
    console.log(`Got ${reply.content}`);
    void connection.close();
  },
  { noAck: true },
);

console.log(`Asking for fib(${n})`);
channel.sendToQueue('rpc_queue', Buffer.from(n), { replyTo, correlationId });
