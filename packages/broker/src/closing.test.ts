import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from './base/manual-clock.test.support.js';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import type { Files } from './store/disk/files.js';
import { nodeFiles } from './store/disk/node-files.js';

test('a disk that does not answer is not waited for for ever', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-closing-'));
  t.after(() => rm(directory, { recursive: true }));
  let isHanging = false;
  let hanging = 0;
  const files: Files = {
    ...nodeFiles,
    open: async (path, options) => {
      const file = await nodeFiles.open(path, options);
      return {
        size: () => file.size(),
        read: (...args) => file.read(...args),
        sync: () => file.sync(),
        close: () => file.close(),
        write: async (...args) => {
          if (!isHanging) return await file.write(...args);
          hanging++;
          await new Promise(() => {});
        },
      };
    },
  };
  const clock = new ManualClock();
  const errors: string[] = [];
  const ignore = (): void => {};
  const quiet = { trace: ignore, debug: ignore, info: ignore, warn: ignore };
  const logger = { ...quiet, error: (text: string) => void errors.push(text) };
  const broker = await Broker.open({ clock, logger, storage: { directory, files } });
  isHanging = true;
  broker.vhosts.create({ name: 'unwritten' });
  let isClosed = false;
  const closing = broker.close().then(() => {
    isClosed = true;
  });
  await until(() => hanging > 0);
  clock.advance(29_000);
  assert.equal(isClosed, false);
  clock.advance(1_000);
  await closing;
  assert.deepEqual(errors, ['closing without what the disk has neither taken nor refused']);
});
