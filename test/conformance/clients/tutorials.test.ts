import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brokerUnderTest } from '../broker-under-test.js';
import { Program } from './program.js';
import { repositoryPath } from './repository.js';
import { type Tutorial, tutorialScenarios } from './tutorial-scenarios.js';
import { takeTutorialTurn } from './tutorial-turn.js';

const broker = await brokerUnderTest();
await takeTutorialTurn(broker);

const tutorial: Tutorial = (name, ...args) => ({
  file: process.execPath,
  args: [repositoryPath(`examples/tutorials/node/${name}.mjs`), ...args],
  env: { AMQP_URL: broker.url },
});

tutorialScenarios(tutorial, false);

test('publisher confirms: in batches, and as they come', async () => {
  const [, batches, streamed] = await Program.run(tutorial('publisher-confirms', '250'));
  assert.match(batches ?? '', /^250 of 250 confirmed in batches of 100 in \d+ ms$/);
  assert.match(streamed ?? '', /^250 of 250 confirmed as they come in \d+ ms$/);
});
