/** Runs an embedded Leveret until SIGTERM: prints `ready amqp://...` once it accepts AMQP. */
import { startBroker } from '@leveret/broker';

const broker = await startBroker({ port: 0 });
console.log(`ready ${broker.url}`);
await new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve());
});
await broker.close();
