import { test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { repositoryPath } from '../clients/repository.js';
import { runChecks } from './checked-program.js';
import { pythonCommand, withoutPython } from './interpreter.js';

const broker = await brokerUnderTest();
const skip = await withoutPython('pika');

for (const program of ['pika_blocking', 'pika_select', 'pika_deduplication']) {
  test(program, { skip }, async (t) => {
    const path = repositoryPath(`test/conformance/python/${program}.py`);
    await runChecks(t, pythonCommand(path, [], { AMQP_URL: broker.url }));
  });
}

test('pika_delayed', { skip: skip || (broker.isRabbit && 'needs a plugin') }, async (t) => {
  const path = repositoryPath('test/conformance/python/pika_delayed.py');
  await runChecks(t, pythonCommand(path, [], { AMQP_URL: broker.url }));
});
