import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { findRabbitmqServer, startRabbitNode } from './rabbitmq-node.js';

const missing = (await findRabbitmqServer()) === undefined ? 'RabbitMQ is not installed' : false;

test('a node serves AMQP, and leaves nothing behind', { skip: missing }, async () => {
  const node = await startRabbitNode();
  try {
    const connection = await connect(node.url);
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    channel.sendToQueue(queue, Buffer.from('message'));
    const message = await channel.get(queue);
    assert.ok(message);
    assert.equal(message.content.toString(), 'message');
    await connection.close();
    const { stdout } = await promisify(execFile)(node.control, ['--quiet', 'list_vhosts'], {
      env: {},
    });
    assert.match(stdout, /^\/$/m);
  } finally {
    await node.stop();
  }
  assert.ok(!existsSync(node.directory));
  const refused = new Promise<Error>((resolve) => {
    connectSocket(node.port, '127.0.0.1').once('error', resolve);
  });
  assert.match(String(await refused), /ECONNREFUSED/);
});

test('a node that cannot start says why, and leaves nothing behind', {
  skip: missing,
}, async () => {
  await assert.rejects(
    startRabbitNode({ configuration: ['no.such.setting = 1'] }),
    /RabbitMQ did not start:.*no\.such\.setting/s,
  );
});
