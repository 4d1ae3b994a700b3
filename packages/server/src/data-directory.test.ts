import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { prepareDataDirectory } from './data-directory.js';
import { StartError } from './start-error.js';

const noProc = process.platform === 'linux' ? false : 'only Linux has /proc';

describe('prepareDataDirectory', () => {
  const root = mkdtempSync(join(tmpdir(), 'leveret-data-'));
  after(() => rmSync(root, { recursive: true }));

  it('creates it for its owner alone, with what leads to it, and leaves nothing in it', () => {
    const path = join(root, 'a', 'b');
    assert.deepEqual(prepareDataDirectory(path), { path, openToOthers: false });
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(path), []);
  });

  it('takes one that is there, keeps what is in it, and tells if others can look in', () => {
    const path = join(root, 'open');
    mkdirSync(path, { mode: 0o755 });
    writeFileSync(join(path, 'kept'), 'x');
    assert.deepEqual(prepareDataDirectory(path), { path, openToOthers: true });
    assert.deepEqual(readdirSync(path), ['kept']);
    assert.equal(statSync(path).mode & 0o777, 0o755);
  });

  it('refuses a file, and a path through a file', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'data')]) {
      assert.throws(
        () => prepareDataDirectory(path),
        new StartError(
          `cannot write to the data directory ${path}: it, or a part of its path, is a file. ` +
            'Choose another with --data-dir.',
        ),
      );
    }
  });

  it('gives up where the system lets nobody make a directory', { skip: noProc }, () => {
    assert.throws(
      () => prepareDataDirectory('/proc/leveret/data'),
      new StartError(
        'cannot write to the data directory /proc/leveret/data: it cannot be made there. ' +
          'Choose another with --data-dir.',
      ),
    );
  });
});
