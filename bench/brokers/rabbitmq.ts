import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Broker, BrokerSource } from './broker.js';
import { findDescendant, ProcessCost } from './process-cost.js';
import { ReadyProcess } from './ready-process.js';

const LIBRARY_ROOT = '/usr/lib/rabbitmq/lib';

/** Starts a node with its own name, ports and directory, which go with it; SIGHUP crashes it. */
const RUN_RABBITMQ = fileURLToPath(
  new URL('../../../test/dist/peers/run-rabbitmq.js', import.meta.url),
);

/** RabbitMQ nodes of one's own, or undefined where it is not installed. */
export function rabbitmq(): BrokerSource | undefined {
  if (!existsSync(LIBRARY_ROOT)) return undefined;
  return {
    name: 'RabbitMQ',
    startsItsOwn: true,
    start: async () => brokerOf(await ReadyProcess.start([RUN_RABBITMQ])),
  };
}

function brokerOf(started: ReadyProcess): Broker {
  const machine = findDescendant(started.pid, 'beam.smp');
  return {
    url: started.url,
    process: machine === undefined ? undefined : new ProcessCost(machine),
    startMilliseconds: started.startMilliseconds,
    directory: undefined,
    crash: async () => brokerOf(await started.readyAgainAfter('SIGHUP')),
    stop: () => started.end('SIGTERM'),
  };
}
