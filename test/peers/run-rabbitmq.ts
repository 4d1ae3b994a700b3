/**
 * Runs a RabbitMQ node of its own until SIGTERM or SIGINT:
 * `node test/dist/peers/run-rabbitmq.js [--port 5672] [--conformance] [plugin ...]`, with
 * `--conformance` with the plugins that the conformance suite tests. Prints `control PATH`, the
 * path of its `rabbitmqctl`, and `ready amqp://...` once it accepts AMQP. SIGHUP kills the node and
 * starts it on what it has left; it prints the second line again.
 */
import { parseArgs } from 'node:util';
import { PLUGINS, startRabbitNode } from './rabbitmq-node.js';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string' }, conformance: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const node = await startRabbitNode({
  plugins: [...(values.conformance ? PLUGINS : []), ...positionals],
  ...(values.port === undefined ? {} : { port: Number(values.port) }),
});
console.log(`control ${node.control}`);
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
