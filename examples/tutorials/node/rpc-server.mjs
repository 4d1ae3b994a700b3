// 6 RPC: answer requests for Fibonacci numbers.
//
//   node rpc-server.mjs
import { connect } from 'amqplib';

/** Slow on purpose: what a server computes should be worth a round trip. */
function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

const connection = await connect(process.env.AMQP_URL ?? 'amqp://localhost');
const channel = await connection.createChannel();
await channel.assertQueue('rpc_queue', { durable: false });

// One request at a time, so that several servers share the load.
await channel.prefetch(1);

await channel.consume('rpc_queue', (request) => {
  if (request === null) return;
  const n = Number(request.content.toString());
  console.log(`fib(${n})`);

  // The client said where it waits (reply-to) and how it will know the answer (correlation-id).
  const { replyTo, correlationId } = request.properties;
  channel.sendToQueue(replyTo, Buffer.from(String(fibonacci(n))), { correlationId });
  channel.ack(request);
});

console.log('Waiting for requests, Ctrl+C to stop');
process.once('SIGINT', () => connection.close());
