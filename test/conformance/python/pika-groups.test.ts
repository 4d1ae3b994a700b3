import { test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { repositoryPath } from '../clients/repository.js';
import { runChecks } from './checked-program.js';
import { pythonCommand, withoutPython } from './interpreter.js';

const broker = await brokerUnderTest();
const skip = broker.isRabbit ? 'RabbitMQ has no message groups' : await withoutPython('pika');

test('pika_groups', { skip }, async (t) => {
  const path = repositoryPath('test/conformance/python/pika_groups.py');
  await runChecks(t, pythonCommand(path, [], { AMQP_URL: broker.url }));
});
