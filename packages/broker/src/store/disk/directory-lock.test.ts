import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../base/clock.js';
import { systemRandom } from '../../base/random.js';
import { DirectoryInUseError, type DirectoryLock, lockDirectory } from './directory-lock.js';

async function newDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-lock-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function lock(directory: string): Promise<DirectoryLock> {
  return lockDirectory(directory, systemRandom, systemClock);
}

test('of many at once one gets it, and the next when that one is done', async (t) => {
  const directory = await newDirectory(t);
  for (let round = 0; round < 20; round++) {
    const results = await Promise.allSettled(Array.from({ length: 6 }, () => lock(directory)));
    const locks = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    assert.equal(locks.length, 1);
    for (const each of results) {
      if (each.status === 'rejected') assert.ok(each.reason instanceof DirectoryInUseError);
    }
    await locks[0]?.release();
    assert.deepEqual(await readdir(directory), []);
  }
});

test('a directory whose path is too long for a socket can be had', async (t) => {
  const directory = await mkdtemp(join(await newDirectory(t), 'x'.repeat(200)));
  const held = await lock(directory);
  await assert.rejects(lock(directory), { name: 'DirectoryInUseError' });
  await held.release();
});
