import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { pythonCommand, withoutPython } from '../python/interpreter.js';
import { Program } from './program.js';
import { repositoryPath } from './repository.js';
import { type Tutorial, tutorialScenarios } from './tutorial-scenarios.js';
import { takeTutorialTurn } from './tutorial-turn.js';

const broker = await brokerUnderTest();
const skip = await withoutPython('pika');
await takeTutorialTurn(broker);

const tutorial: Tutorial = (name, ...args) => {
  const program = repositoryPath(`examples/tutorials/python/${name.replaceAll('-', '_')}.py`);
  return pythonCommand(program, args, { AMQP_URL: broker.url });
};

tutorialScenarios(tutorial, skip);

test('publisher confirms: a mandatory message without a queue comes back', { skip }, async () => {
  const lines = await Program.run(tutorial('publisher-confirms', '1'));
  assert.equal(lines.at(-1), "Returned 'lost': NO_ROUTE");
});

test('a Node program gets its answer from a Python server', { skip }, async (t) => {
  const server = Program.start(t, tutorial('rpc-server'));
  await server.line(/^Waiting for requests/);
  const lines = await Program.run({
    file: process.execPath,
    args: [repositoryPath('examples/tutorials/node/rpc-client.mjs'), '20'],
    env: { AMQP_URL: broker.url },
  });
  assert.deepEqual(lines, ['Asking for fib(20)', 'Got 6765']);
});
