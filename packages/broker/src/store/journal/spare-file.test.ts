import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../../base/logger.js';
import { ManualClock } from '../../base/manual-clock.test.support.js';
import type { DiskFile, Files } from '../disk/files.js';
import { SpareFile } from './spare-file.js';

const FILE_BYTES = 10;
/** What is filled with zeros at once. */
const PIECE_BYTES = 1_048_576;

/** A disk of names and sizes, where a rename takes as long as the test says. */
class SlowDisk {
  readonly sizes = new Map<string, number>();
  readonly calls: string[] = [];
  freeBytes = Number.MAX_SAFE_INTEGER;
  /** Called when a file is written to, with its size before. */
  onWrite: (path: string, size: number) => Promise<void> = () => Promise.resolve();
  #renames: (() => void)[] = [];

  readonly files: Partial<Files> = {
    open: (path) => {
      this.calls.push(`open ${path}`);
      if (!this.sizes.has(path)) this.sizes.set(path, 0);
      return Promise.resolve(this.#file(path) as DiskFile);
    },
    rename: async (from, to) => {
      this.calls.push(`rename ${from} ${to}`);
      await new Promise<void>((resolve) => this.#renames.push(resolve));
      const size = this.sizes.get(from);
      if (size === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      this.sizes.delete(from);
      this.sizes.set(to, size);
    },
    freeBytes: () => Promise.resolve(this.freeBytes),
    remove: (path) => {
      this.sizes.delete(path);
      return Promise.resolve();
    },
  };

  /** Lets the renames happen that have been asked for, and whatever follows from them. */
  async renameNow(): Promise<void> {
    await settled();
    for (const rename of this.#renames.splice(0)) rename();
    await settled();
  }

  #file(path: string): Partial<DiskFile> {
    return {
      size: () => Promise.resolve(this.sizes.get(path) ?? 0),
      write: async (bytes, position) => {
        await this.onWrite(path, position);
        this.sizes.set(path, position + bytes.length);
      },
      sync: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }
}

/** Lets everything happen that waits for nothing but its turn. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function spareOn(disk: SlowDisk, fileBytes: number = FILE_BYTES): SpareFile {
  const ports = { files: disk.files as Files, clock: new ManualClock(), logger: silentLogger };
  return new SpareFile({ directory: 'd', fileBytes, sync: 'always' }, ports, () => {});
}

test('is not made ready again before it has its new name', async () => {
  const disk = new SlowDisk();
  const spare = spareOn(disk);
  spare.prepare();
  await settled();
  disk.sizes.set('d/old', 3);
  const taken = spare.take('d/new');
  spare.recycle('d/old');
  spare.prepare();
  await settled();
  assert.deepEqual(disk.calls, ['open d/journal-spare', 'rename d/journal-spare d/new']);
  await disk.renameNow();
  await taken;
  await disk.renameNow();
  assert.deepEqual(Object.fromEntries(disk.sizes), {
    'd/new': FILE_BYTES,
    'd/journal-spare': FILE_BYTES,
  });
  const next = spare.take('d/next');
  await disk.renameNow();
  await next;
  await spare.close();
});

test('touches nothing in the directory when it is closed', async () => {
  const disk = new SlowDisk();
  const spare = spareOn(disk);
  await spare.close();
  disk.sizes.set('d/old', FILE_BYTES);
  spare.recycle('d/old');
  spare.prepare();
  await settled();
  assert.deepEqual(disk.calls, []);
  assert.ok(disk.sizes.has('d/old'));
});

test('is not filled while batches are large and there is much room', async () => {
  const disk = new SlowDisk();
  const spare = spareOn(disk);
  await spare.weigh(FILE_BYTES);
  spare.prepare();
  await spare.take('d/one');
  assert.deepEqual(disk.calls, ['open d/one']);
  disk.freeBytes = FILE_BYTES;
  await spare.weigh(FILE_BYTES);
  spare.prepare();
  await settled();
  assert.equal(disk.sizes.get('d/journal-spare'), FILE_BYTES);
  await spare.close();
});

test('what has been filled of it is used when batches have become large meanwhile', async () => {
  const disk = new SlowDisk();
  const spare = spareOn(disk, 3 * PIECE_BYTES);
  let written = (): void => {};
  disk.onWrite = (_path, size) =>
    size === 0 ? Promise.resolve() : new Promise((resolve) => (written = resolve));
  spare.prepare();
  await settled();
  await spare.weigh(PIECE_BYTES);
  const taken = spare.take('d/new');
  await settled();
  assert.deepEqual(disk.calls, ['open d/journal-spare'], 'it is being written to');
  written();
  await disk.renameNow();
  await taken;
  assert.deepEqual(Object.fromEntries(disk.sizes), { 'd/new': 2 * PIECE_BYTES });
  await spare.close();
});
