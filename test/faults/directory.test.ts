import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startBroker } from '@leveret/broker';
import { BrokerProcess } from './broker-process.js';

const FILE_BYTES = 65_536;

async function newDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-directory-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function start(directory: string): ReturnType<typeof startBroker> {
  return startBroker({ port: 0, storage: { directory, fileBytes: FILE_BYTES } });
}

async function contentOf(directory: string): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for (const name of await readdir(directory)) {
    if (name.startsWith('lock-')) continue;
    content.set(name, await readFile(join(directory, name), 'latin1'));
  }
  return content;
}

test('a directory is of one broker at a time, in this process or another', async (t) => {
  const directory = await newDirectory(t);
  const broker = await start(directory);
  const before = await contentOf(directory);
  await assert.rejects(start(directory), { name: 'DirectoryInUseError' });
  await assert.rejects(BrokerProcess.start(directory, FILE_BYTES), /DirectoryInUseError/);
  assert.deepEqual([...(await contentOf(directory)).keys()], [...before.keys()]);
  await broker.close();
  const next = await start(directory);
  await next.close();
});

test('a broker that was killed holds no directory', async (t) => {
  const directory = await newDirectory(t);
  const killed = await BrokerProcess.start(directory, FILE_BYTES);
  await assert.rejects(start(directory), { name: 'DirectoryInUseError' });
  killed.kill();
  await killed.gone();
  const broker = await start(directory);
  await broker.close();
});

test('of several that start at once one gets the directory, after a kill too', async (t) => {
  const directory = await newDirectory(t);
  for (let round = 0; round < 5; round++) {
    const starts = Array.from({ length: 4 }, () => BrokerProcess.start(directory, FILE_BYTES));
    const results = await Promise.allSettled(starts);
    const started = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    for (const broker of started) broker.kill();
    for (const broker of started) await broker.gone();
    assert.equal(started.length, 1);
    for (const each of results) {
      if (each.status === 'rejected') assert.match(String(each.reason), /DirectoryInUseError/);
    }
  }
});

test('a directory with something else in it is refused, and left alone', async (t) => {
  const directory = await newDirectory(t);
  await writeFile(join(directory, 'spare'), 'ours');
  await writeFile(join(directory, 'PG_VERSION'), '15');
  const before = await contentOf(directory);
  await assert.rejects(start(directory), { name: 'ForeignDirectoryError' });
  assert.deepEqual(await contentOf(directory), before);
});

test('a directory that cannot be is one clear error', async (t) => {
  const directory = await newDirectory(t);
  await writeFile(join(directory, 'file'), '');
  await assert.rejects(start(join(directory, 'file')), { code: 'EEXIST' });
  await assert.rejects(start(join(directory, 'file', 'below')), { code: 'ENOTDIR' });
});

test('a directory that may not be written is one clear error', async (t) => {
  if (process.getuid?.() === 0) return t.skip('the superuser may write everywhere');
  const directory = join(await newDirectory(t), 'data');
  await mkdir(directory);
  await chmod(directory, 0o500);
  await assert.rejects(start(directory), { code: 'EACCES' });
});
