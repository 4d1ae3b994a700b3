import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { until } from './base/until.test.support.js';
import { startBroker } from './start-broker.js';

test('a port that is taken is Node’s error, and nothing is left open', async () => {
  const servers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;
  const before = servers();
  const first = await startBroker({ port: 0 });
  await assert.rejects(startBroker({ port: first.port }), { code: 'EADDRINUSE' });
  await first.close();
  await until(() => servers() === before, 'the end of the servers');
});

test('with several addresses all are listened on, or none', async () => {
  const broker = await startBroker({ port: 0, host: ['127.0.0.1', '127.0.0.2'] });
  const taken = createServer().listen(broker.port, '127.0.0.3');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = broker;
  await broker.close();
  await assert.rejects(startBroker({ port, host: ['127.0.0.2', '127.0.0.3'] }), {
    code: 'EADDRINUSE',
  });
  // The first address is free again.
  const again = await startBroker({ port, host: '127.0.0.2' });
  await again.close();
  await new Promise((resolve) => taken.close(resolve));
});

test('the URL is for clients on this machine', async () => {
  for (const [host, expected] of [
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['localhost', 'localhost'],
  ] as const) {
    const broker = await startBroker({ port: 0, host });
    assert.equal(broker.url, `amqp://guest:guest@${expected}:${broker.port}`);
    await broker.close();
  }
});
