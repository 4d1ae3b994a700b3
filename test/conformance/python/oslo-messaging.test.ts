import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { deleteAfterwards } from '../clients/delete-afterwards.js';
import { Program } from '../clients/program.js';
import { repositoryPath } from '../clients/repository.js';
import { runChecks } from './checked-program.js';
import { pythonCommand, withoutPython } from './interpreter.js';

const broker = await brokerUnderTest();
const skip = await withoutPython('oslo_messaging');

/** What an operator sets, by what it makes of queues and exchanges. */
const CONFIGURATIONS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'as it comes': {},
  'x-queue-type: quorum, x-delivery-limit': {
    rabbit_quorum_queue: true,
    rabbit_quorum_delivery_limit: 10,
    rabbit_quroum_max_memory_length: 1000,
    rabbit_quroum_max_memory_bytes: 1_000_000,
  },
  'x-ha-policy, durable, x-cancel-on-ha-failover': {
    rabbit_ha_queues: true,
    amqp_durable_queues: true,
    enable_cancel_on_failover: true,
  },
  'auto-delete, x-expires of a minute': {
    amqp_auto_delete: true,
    rabbit_transient_queues_ttl: 60,
  },
};

describe('oslo.messaging', { skip, concurrency: 2 }, () => {
  for (const [what, options] of Object.entries(CONFIGURATIONS)) {
    test(what, (t) => check(t, options));
  }
});

async function check(t: TestContext, options: Readonly<Record<string, unknown>>): Promise<void> {
  const run = randomBytes(4).toString('hex');
  deleteAfterwards(broker, {
    queues: [
      ...['', '.one', '.two'].map((server) => `topic-${run}${server}`),
      ...['.info', '.error'].map((priority) => `notifications-${run}${priority}`),
      ...[`choosy-${run}.info`, `pool-0-${run}`, `pool-1-${run}`],
    ],
    exchanges: [`exchange-${run}`],
  });
  const env = {
    AMQP_URL: broker.url,
    RUN: run,
    OPTIONS: JSON.stringify(options),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const program = (name: string): string => repositoryPath(`test/conformance/python/${name}.py`);
  await Promise.all(
    ['one', 'two'].map(async (name) => {
      const server = Program.start(t, pythonCommand(program('oslo_server'), [name], env));
      await server.line(/ is ready$/);
    }),
  );
  await runChecks(t, pythonCommand(program('oslo_checks'), [], env));
}
