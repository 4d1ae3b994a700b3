import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskFile, Files } from './files.js';
import { SharedReads } from './shared-reads.js';

/** Says which files were opened and closed. */
function disk(): { readonly files: Files; readonly calls: string[] } {
  const calls: string[] = [];
  const open: Files['open'] = (path) => {
    calls.push(`open ${path}`);
    const close = (): Promise<void> => {
      calls.push(`close ${path}`);
      return Promise.resolve();
    };
    return Promise.resolve({ close } as DiskFile);
  };
  // Nothing else is asked of a disk.
  return { files: { open } as Files, calls };
}

const read = (): Promise<string> => Promise.resolve('read');

test('the file read last stays open until another is read, or it is given up', async () => {
  const { files, calls } = disk();
  const reads = new SharedReads(files);
  assert.equal(await reads.from('a', read), 'read');
  await reads.from('a', read);
  assert.deepEqual(calls.splice(0), ['open a']);
  await reads.from('b', read);
  assert.deepEqual(calls.splice(0), ['open b', 'close a']);
  await reads.forget('b');
  assert.deepEqual(calls.splice(0), ['close b']);
  await reads.from('c', read);
  await reads.close();
  assert.deepEqual(calls, ['open c', 'close c']);
});

test('a file that is given up while it is read is closed after that', async () => {
  const { files, calls } = disk();
  const reads = new SharedReads(files);
  let end = (): void => {};
  const first = reads.from('a', () => new Promise<void>((resolve) => (end = resolve)));
  const second = reads.from('a', read);
  await second;
  await reads.forget('a');
  assert.deepEqual(calls, ['open a']);
  end();
  await first;
  assert.deepEqual(calls, ['open a', 'close a']);
});

test('after a read that failed the file is opened anew', async () => {
  const { files, calls } = disk();
  const reads = new SharedReads(files);
  const broken = reads.from('a', () => Promise.reject(new Error('broken')));
  await assert.rejects(broken, { message: 'broken' });
  await reads.from('a', read);
  assert.deepEqual(calls, ['open a', 'close a', 'open a']);
});
