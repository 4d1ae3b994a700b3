/**
 * Runs a RabbitMQ node of its own until SIGTERM or SIGINT, with the plugins that the conformance
 * suite tests and any others: `node test/dist/peers/run-rabbitmq.js [--port 5672] [plugin ...]`.
 * Prints `control PATH`, the path of its `rabbitmqctl`, and `ready amqp://...` once it accepts
 * AMQP.
 */
import { parseArgs } from 'node:util';
import { PLUGINS, startRabbitNode } from './rabbitmq-node.js';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string' } },
  allowPositionals: true,
});
const node = await startRabbitNode({
  plugins: [...PLUGINS, ...positionals],
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
});
console.log(`control ${node.control}`);
console.log(`ready ${node.url}`);
// `on`, not `once`: a second signal must not end us before the node is stopped and removed.
await new Promise<void>((resolve) => {
  process.on('SIGTERM', () => resolve());
  process.on('SIGINT', () => resolve());
});
await node.stop();
