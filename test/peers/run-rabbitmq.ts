/**
 * Runs a RabbitMQ node of its own until SIGTERM or SIGINT:
 * `node test/dist/peers/run-rabbitmq.js [--port 5672] [plugin ...]` prints `ready amqp://...` once
 * it accepts AMQP. SIGHUP kills the node and starts it on what it has left; it prints that again.
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
console.log(`ready ${node.url}`);
process.on('SIGHUP', () => {
  void node.crash().then(() => console.log(`ready ${node.url}`));
});
// `on`, not `once`: a second signal must not end us before the node is stopped and removed.
await new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
  process.on('SIGINT', () => resolve());
});
await node.stop();
