import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { deleteAfterwards } from '../clients/delete-afterwards.js';
import { Program } from '../clients/program.js';
import { repositoryPath } from '../clients/repository.js';
import { runChecks } from './checked-program.js';
import { pythonCommand, withoutPython } from './interpreter.js';

const broker = await brokerUnderTest();
const skip = await withoutPython('oslo_messaging');

test('oslo.messaging', { skip }, async (t) => {
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
});
