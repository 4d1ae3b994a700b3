import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LeveretProcess } from './leveret-process.js';

const aFile = fileURLToPath(import.meta.url);

describe('leveret, failing to start, is one line on stderr and exit code 1', () => {
  it('when the port is taken', async (t) => {
    const port = await takenPort(t);
    const line = await failureOf(t, '--port', String(port), '--bind', '127.0.0.1');
    assert.equal(
      line,
      `leveret: cannot listen on 127.0.0.1:${port}: the port is in use. ` +
        'Stop the other program or choose another with --port.\n',
    );
  });

  it('when the port is taken on one of its addresses, with none left listening', async (t) => {
    const port = await takenPort(t);
    const bind = ['--bind', '127.0.0.2', '--bind', '127.0.0.1'];
    const line = await failureOf(t, '--port', String(port), ...bind, '--log-level', 'error');
    assert.match(line, /^leveret: cannot listen on 127\.0\.0\.1:\d+: the port is in use\. /);
  });

  it('when the address is not its own', async (t) => {
    const line = await failureOf(t, '--port', '0', '--bind', '192.0.2.1');
    assert.match(
      line,
      /^leveret: cannot listen on 192\.0\.2\.1.*: this machine has no such address/,
    );
  });

  it('when the data directory cannot be written', async (t) => {
    const line = await failureOf(t, '--port', '0', '--data-dir', `${aFile}/data`);
    assert.match(line, /^leveret: cannot write to the data directory .*\/data: it, or a part of/);
  });

  it('when another broker has the data directory', async (t) => {
    const directory = newDirectory(t);
    const owner = LeveretProcess.run(t, '--port', '0', '--data-dir', directory);
    await owner.ready();
    const line = await failureOf(t, '--port', '0', '--data-dir', directory);
    assert.equal(
      line,
      `leveret: ${directory} is in use by another broker. ` +
        'Stop it or choose another with --data-dir.\n',
    );
  });

  it('when the data directory holds something else', async (t) => {
    const directory = newDirectory(t);
    writeFileSync(join(directory, 'PG_VERSION'), '15');
    const line = await failureOf(t, '--port', '0', '--data-dir', directory);
    assert.match(line, /^leveret: .* is no data directory of Leveret's: it holds PG_VERSION; /);
  });

  it('when what was in the data directory is gone or damaged', async (t) => {
    const directory = newDirectory(t);
    writeFileSync(join(directory, 'journal-begun'), '');
    const gone = await failureOf(t, '--port', '0', '--data-dir', directory);
    assert.ok(gone.startsWith(`leveret: ${directory}: what was kept cannot be read`), gone);
    const file = join(directory, 'journal-00000001');
    writeFileSync(file, Buffer.alloc(1_000, 'x'));
    const damaged = await failureOf(
      t,
      '--port',
      '0',
      '--data-dir',
      directory,
      '--log-level',
      'silent',
    );
    assert.ok(damaged.startsWith(`leveret: ${file} at 0: what was kept cannot be read`), damaged);
  });

  it('on an unknown option', async (t) => {
    const line = await failureOf(t, '--prot', '0');
    assert.match(
      line,
      /^leveret: unknown option '--prot' \(Did you mean --port\?\) See leveret --help/,
    );
  });

  it('on a bad value', async (t) => {
    const line = await failureOf(t, '--port', '65536');
    assert.match(
      line,
      /^leveret: .*'65536' is invalid\. It must be a whole number from 0 to 65535/,
    );
  });
});

function newDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'leveret-data-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** The one line; stdout must stay empty. */
async function failureOf(t: TestContext, ...args: readonly string[]): Promise<string> {
  const server = LeveretProcess.run(t, ...args);
  const exit = await server.exited;
  assert.deepEqual(exit, { code: 1, signal: null }, server.stderr);
  assert.equal(server.stdout, '');
  assert.match(server.stderr, /^[^\n]+\n$/);
  return server.stderr;
}

/** A port of 127.0.0.1 that somebody listens on until the test ends. */
async function takenPort(t: TestContext): Promise<number> {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const address = other.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
