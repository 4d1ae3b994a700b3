/**
 * Runs a RabbitMQ node of its own until SIGTERM or SIGINT:
 * `node test/dist/peers/run-rabbitmq.js [--port 5672] [plugin ...]` prints `ready amqp://...` once
 * it accepts AMQP, and behind it a command that does for this node what `rabbitmqctl` does.
 */
import { parseArgs } from 'node:util';
import { startRabbitNode } from './rabbitmq-node.js';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string' } },
  allowPositionals: true,
});
const node = await startRabbitNode({
  plugins: positionals,
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
});
console.log(`ready ${node.url} ${node.control}`);
// `on`, not `once`: a second signal must not end us before the node is stopped and removed.
await new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
  process.on('SIGINT', () => resolve());
});
await node.stop();
