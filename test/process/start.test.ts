import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectAmqp } from 'amqplib';
import { LeveretProcess } from './leveret-process.js';

const hasIPv6 = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .some(({ address }) => address === '::1');

describe('leveret, starting', () => {
  it('prints one line on stdout, and accepts connections by then', async (t) => {
    const server = await LeveretProcess.start(t);
    const connection = await connectAmqp(await server.ready());
    await connection.close();
    assert.match(server.stdout, /^ready amqp:\/\/guest:guest@127\.0\.0\.1:\d+\n$/);
  });

  it('says on stderr that nothing outlives the process', async (t) => {
    const server = await LeveretProcess.start(t);
    await server.logged(/\[info\] everything is in memory and ends with this process/);
  });

  it('takes the same free port on both loopback addresses', {
    skip: hasIPv6 ? false : 'this machine has no ::1',
  }, async (t) => {
    const port = await (await LeveretProcess.start(t)).port();
    for (const host of ['127.0.0.1', '::1']) {
      const banner = await firstBytesAfter(host, port, 'not AMQP');
      assert.equal(banner.toString('latin1', 0, 4), 'AMQP', `on ${host}`);
    }
  });

  it('listens only where --bind says', async (t) => {
    const server = await LeveretProcess.start(t, '--bind', '127.0.0.2');
    const port = await server.port();
    assert.equal(await server.ready(), `amqp://guest:guest@127.0.0.2:${port}`);
    await assert.rejects(firstBytesAfter('127.0.0.1', port, 'AMQP'), { code: 'ECONNREFUSED' });
  });

  it('creates the data directory and says that it keeps messages there', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'leveret-data-'));
    t.after(() => rmSync(root, { recursive: true }));
    const directory = join(root, 'deep', 'data');
    const server = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
    await server.ready();
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    await server.logged(/\[info\] durable queues and persistent messages are kept in .*deep\/data/);
  });

  it('logs JSON if asked, and nothing at all if asked', async (t) => {
    const json = await LeveretProcess.start(t, '--log-format', 'json');
    await json.logged(/"msg":"everything/);
    for (const line of json.stderr.trimEnd().split('\n')) assert.ok(JSON.parse(line).time);
    const silent = await LeveretProcess.start(t, '--log-level', 'silent');
    silent.signal('SIGTERM');
    await silent.exited;
    assert.equal(silent.stderr, '');
  });
});

/** What the server answers to some bytes, on a plain socket. */
function firstBytesAfter(host: string, port: number, bytes: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => socket.write(bytes));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without an answer')));
    socket.once('data', (data) => {
      resolve(data);
      socket.destroy();
    });
  });
}
