import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startLeveretProcess } from './leveret-process.js';
import { findRabbitmqServer, startRabbitNode } from './rabbitmq-node.js';
import { sideBySide } from './side-by-side.js';

const missing = (await findRabbitmqServer()) === undefined ? 'RabbitMQ is not installed' : false;

test('Leveret and RabbitMQ answer the same scripts the same', { skip: missing }, async (t) => {
  const leveret = await startLeveretProcess();
  t.after(() => leveret.stop());
  const node = await startRabbitNode();
  t.after(() => node.stop());
  assert.deepEqual(await sideBySide([node.port, leveret.port], 24, 1), []);
});
