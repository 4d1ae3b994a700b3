import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ManualClock } from './base/manual-clock.test.support.js';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import type { DiskFile, Files } from './store/disk/files.js';
import { nodeFiles } from './store/disk/node-files.js';
import type { SyncPolicy } from './store/journal/journal-file.js';

/** A broker under a sync policy, and what it asks of the disk for its journal file. */
interface World {
  readonly clock: ManualClock;
  /** Makes the broker write something to its journal. */
  readonly write: () => void;
  readonly seen: { writes: number; syncs: number; areWritesDurable: boolean; failsToSync: boolean };
}

async function open(t: TestContext, sync: SyncPolicy): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-sync-'));
  const seen = { writes: 0, syncs: 0, areWritesDurable: false, failsToSync: false };
  const watched = (file: DiskFile): DiskFile => ({
    size: () => file.size(),
    read: (...args) => file.read(...args),
    close: () => file.close(),
    write: async (...args) => {
      await file.write(...args);
      seen.writes++;
    },
    sync: async () => {
      seen.syncs++;
      if (seen.failsToSync) throw new Error('EIO');
      await file.sync();
    },
  });
  const files: Files = {
    ...nodeFiles,
    open: async (path, options) => {
      const file = await nodeFiles.open(path, options);
      if (!/journal-\d+$/.test(path) || !options.create) return file;
      seen.areWritesDurable = options.durableWrites;
      return watched(file);
    },
  };
  const clock = new ManualClock();
  const storage = { directory, files, sync, fileBytes: 65_536 };
  const broker = await Broker.open({ clock, storage });
  const { policies } = broker.vhost('/');
  t.after(async () => {
    await broker.close();
    await rm(directory, { recursive: true });
  });
  let count = 0;
  const write = (): void => {
    policies.set({ name: `p${count++}`, pattern: 'x', definition: { 'max-length': 1 } });
  };
  return { clock, write, seen };
}

test('always: every write is on the disk when it is done', async (t) => {
  const { seen, write } = await open(t, 'always');
  assert.equal(seen.areWritesDurable, true);
  const { writes } = seen;
  write();
  await until(() => seen.writes > writes);
  assert.equal(seen.syncs, 0, 'no other call is needed');
});

test('never: the disk is left to the operating system until the end', async (t) => {
  const { seen, write, clock } = await open(t, 'never');
  assert.equal(seen.areWritesDurable, false);
  const { writes } = seen;
  write();
  await until(() => seen.writes > writes);
  clock.advance(60_000);
  assert.equal(seen.syncs, 0);
});

test('an interval: what was written is synced when it is over, and only then', async (t) => {
  const { seen, write, clock } = await open(t, { milliseconds: 100 });
  assert.equal(seen.areWritesDurable, false);
  const { writes, syncs } = seen;
  write();
  await until(() => seen.writes > writes);
  clock.advance(99);
  assert.equal(seen.syncs, syncs);
  clock.advance(1);
  assert.equal(seen.syncs, syncs + 1);
  clock.advance(1_000);
  assert.equal(seen.syncs, syncs + 1, 'nothing has been written since');
});

test('a sync that fails is not trusted again: the journal goes on in another file', async (t) => {
  const { seen, write, clock } = await open(t, { milliseconds: 100 });
  const { writes, syncs } = seen;
  write();
  await until(() => seen.writes > writes);
  seen.failsToSync = true;
  clock.advance(100);
  await until(() => seen.syncs === syncs + 1);
  seen.failsToSync = false;
  const before = seen.writes;
  write();
  // The batch, and then what a new file begins with: header, snapshot, header.
  await until(() => seen.writes >= before + 4, 'a new file');
});
