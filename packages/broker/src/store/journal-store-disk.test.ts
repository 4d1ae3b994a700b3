import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ManualClock } from '../base/manual-clock.test.support.js';
import { until } from '../base/until.test.support.js';
import type { Files } from './disk/files.js';
import { nodeFiles } from './disk/node-files.js';
import { journalFileNumber } from './journal/journal-file.js';
import { Numbered, StoreOnDisk } from './store-on-disk.test.support.js';

test('a long queue that is deleted while it is being written lets go of each message once', async (t) => {
  const disk = await StoreOnDisk.temporary(t);
  const messages = Array.from({ length: 600 }, (_, id) => new Numbered(id, true));
  for (const message of messages) {
    // Another queue has it too.
    message.retain();
    disk.store.append(message);
  }
  disk.store.clear();
  disk.store.clear();
  await disk.close();
  assert.ok(messages.every(({ holders }) => holders === 1));
  await disk.open();
  await disk.close();
});

test('a message whose write has failed, and is not in memory, comes when it is written', async (t) => {
  const broken = brokenDisk();
  const clock = new ManualClock();
  const disk = await StoreOnDisk.temporary(t, broken.files, clock);
  broken.isBroken = true;
  for (let id = 0; id < 600; id++) disk.store.append(new Numbered(id, false));
  await until(() => disk.store.placeOf(500) !== 0, 'a place');
  disk.store.read(500);
  assert.ok(!disk.store.isInMemory(500));
  await until(() => broken.failures > 0, 'a failure');
  clock.advance(500);
  await until(
    () => broken.failures > 1 && disk.store.placeOf(500) === 0,
    'a failure in the next file',
  );
  const coming = disk.read(500);
  broken.isBroken = false;
  const ticking = setInterval(() => clock.advance(500), 10);
  t.after(() => clearInterval(ticking));
  assert.equal((await coming).id, 500);
  await disk.close();
});

test('a disk that says no while the journal is being closed does not keep it open', async (t) => {
  const broken = brokenDisk();
  const clock = new ManualClock();
  const disk = await StoreOnDisk.temporary(t, broken.files, clock);
  disk.store.append(new Numbered(0, true));
  const closing = disk.close();
  broken.isBroken = true;
  const ticking = setInterval(() => clock.advance(500), 10);
  t.after(() => clearInterval(ticking));
  await closing;
  assert.ok(broken.failures > 1, 'it was tried again');
});

test('a file goes only when the disk knows that nothing in it is alive', async (t) => {
  const slow = new SlowDisk();
  const disk = await StoreOnDisk.temporary(t, slow.files);
  // More than the first file holds: the journal goes on in the second.
  for (let id = 0; id < 30; id++) disk.store.append(new Numbered(id, true));
  slow.hold('journal-00000002');
  await until(() => slow.held > 0, 'a second file');
  // It begins with a state in which they are there.
  for (let id = 0; id < 30; id++) disk.store.remove(id);
  for (let writes = 0; writes < 3; writes++) await slow.letOneGo();
  await until(() => slow.held > 0, 'the removals');
  for (let look = 0; look < 100; look++) {
    // Each takes the disk a while, in which it might go.
    assert.ok((await readdir(disk.directory)).includes('journal-00000001'));
  }
  slow.letAllGo();
  await disk.written();
  await disk.close();
});

/** The machine's disk, where writes to a file wait to be let go. */
class SlowDisk {
  #name = 'nothing is held';
  #waiting: (() => void)[] = [];

  readonly files: Files = {
    ...nodeFiles,
    open: async (path, options) => {
      const file = await nodeFiles.open(path, options);
      return {
        write: async (...args) => {
          if (path.endsWith(this.#name)) {
            await new Promise<void>((resolve) => this.#waiting.push(resolve));
          }
          await file.write(...args);
        },
        size: () => file.size(),
        read: (...args) => file.read(...args),
        sync: () => file.sync(),
        close: () => file.close(),
      };
    },
  };

  /** How many writes are waiting. */
  get held(): number {
    return this.#waiting.length;
  }

  hold(name: string): void {
    this.#name = name;
  }

  async letOneGo(): Promise<void> {
    await until(() => this.held > 0, 'a write');
    this.#waiting.shift()?.();
  }

  letAllGo(): void {
    this.#name = 'nothing is held';
    for (const go of this.#waiting.splice(0)) go();
  }
}

test('what has been read stays in memory while it is moved to another file', async (t) => {
  const disk = await StoreOnDisk.temporary(t);
  const { store } = disk;
  for (let id = 0; id < 600; id++) {
    store.append(new Numbered(id, true));
    if (id % 10 === 9) await disk.written();
  }
  const read = [305, 345, 385];
  for (const position of read) assert.ok(!store.isInMemory(position));
  await new Promise<void>((resolve) => store.loadAll(read, resolve));
  const places = read.map((position) => store.placeOf(position));
  // So few are left in their files that they are not worth their room.
  for (let id = 300; id < 400; id++) if (!read.includes(id)) store.remove(id);
  const isMoved = (position: number, i: number): boolean => store.placeOf(position) !== places[i];
  for (let id = 600; !read.every(isMoved); id++) {
    store.append(new Numbered(id, true));
    await disk.written();
  }
  await disk.written();
  for (const position of read) {
    assert.ok(store.isInMemory(position));
    assert.equal((store.read(position) as Numbered).id, position);
    assert.ok(!store.isInMemory(position), 'it need not stay once it has been had');
  }
  await disk.close();
});

test('a state that is larger than a file is not written again with each message', async (t) => {
  const disk = await StoreOnDisk.temporary(t);
  for (let id = 0; id < 1_000; id++) disk.store.append(new Numbered(id, true));
  // Each gap takes room in the snapshot.
  for (let id = 0; id < 1_000; id += 2) disk.store.remove(id);
  await disk.written();
  const before = await lastFile(disk.directory);
  for (let round = 0; round < 10; round++) {
    disk.store.append(new Numbered(1_000 + round, true));
    await disk.written();
  }
  assert.ok((await lastFile(disk.directory)) <= before + 1);
  await disk.close();
});

/** Number of the last journal file in a directory. */
async function lastFile(directory: string): Promise<number> {
  const numbers = (await readdir(directory)).map((name) => journalFileNumber(name) ?? 0);
  return Math.max(...numbers);
}

/** The machine's disk, which may be told to take no writes. */
function brokenDisk(): { readonly files: Files; isBroken: boolean; failures: number } {
  const disk = { files: nodeFiles, isBroken: false, failures: 0 };
  const open: Files['open'] = async (path, options) => {
    const file = await nodeFiles.open(path, options);
    const write: typeof file.write = async (...args) => {
      await nextTurn();
      if (!disk.isBroken) return await file.write(...args);
      disk.failures++;
      throw new Error('EIO');
    };
    return {
      write,
      size: () => file.size(),
      read: (...args) => file.read(...args),
      sync: () => file.sync(),
      close: () => file.close(),
    };
  };
  disk.files = { ...nodeFiles, open };
  return disk;
}

test('what is asked for while the journal is being opened is written when it is', async (t) => {
  const disk = await StoreOnDisk.temporary(t);
  for (let id = 0; id < 3; id++) disk.store.append(new Numbered(id, true));
  await disk.close();
  await disk.open((store) => {
    store.remove(1);
    store.append(new Numbered(3, true));
  });
  await disk.close();
  await disk.open();
  assert.deepEqual(
    [0, 1, 2, 3].map((each) => disk.store.firstFrom(each)),
    [0, 2, 2, 3],
  );
  assert.equal((await disk.read(3)).id, 3);
  await disk.close();
});
