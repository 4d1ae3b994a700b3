/**
 * Runs a RabbitMQ node of its own until SIGTERM or SIGINT:
 * `node test/dist/peers/run-rabbitmq.js [plugin ...]` prints `ready amqp://...` once it accepts AMQP.
 */
import { startRabbitNode } from './rabbitmq-node.js';

const node = await startRabbitNode({ plugins: process.argv.slice(2) });
console.log(`ready ${node.url}`);
// `on`, not `once`: a second signal must not end us before the node is stopped and removed.
await new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
  process.on('SIGINT', () => resolve());
});
await node.stop();
// The children's pipes are closed by now; nothing else holds the process.
