import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskFile } from '@leveret/broker';
import { SeededRandom } from '../wire/seeded-random.js';
import { EVERYTHING, NOTHING_MORE, SECTOR_BYTES } from './disk-state.js';
import { FaultyFiles } from './faulty-files.js';

const CREATE = { create: true, durableWrites: false };
const DURABLE = { create: true, durableWrites: true };
const READ = { create: false, durableWrites: false };

async function newDisk(): Promise<FaultyFiles> {
  const disk = new FaultyFiles();
  await disk.makeDirectory('/d');
  return disk;
}

async function contentOf(disk: FaultyFiles, path: string): Promise<string> {
  const file = await disk.open(path, READ);
  const buffer = Buffer.alloc(await file.size());
  await file.read(buffer, buffer.length, 0);
  return buffer.toString('latin1');
}

async function writeText(file: DiskFile, text: string, position = 0): Promise<void> {
  await file.write(Buffer.from(text, 'latin1'), position);
}

test('what is synced survives a power loss, what is not does not', async () => {
  const disk = await newDisk();
  const file = await disk.open('/d/a', CREATE);
  await writeText(file, 'kept');
  await file.sync();
  await disk.syncDirectory('/d');
  await writeText(file, 'lost', SECTOR_BYTES);
  assert.equal(await contentOf(disk, '/d/a'), `kept${'\0'.repeat(SECTOR_BYTES - 4)}lost`);
  const after = new FaultyFiles({ content: disk.crash(NOTHING_MORE) });
  assert.equal(await contentOf(after, '/d/a'), 'kept');
});

test('durable writes need no sync, but their name does', async () => {
  const disk = await newDisk();
  const named = await disk.open('/d/named', DURABLE);
  await disk.syncDirectory('/d');
  await writeText(named, 'a');
  await writeText(await disk.open('/d/nameless', DURABLE), 'b');
  const after = new FaultyFiles({ content: disk.crash(NOTHING_MORE) });
  assert.deepEqual(await after.list('/d'), ['named']);
  assert.equal(await contentOf(after, '/d/named'), 'a');
});

test('names are durable in the order in which they changed, up to some point', async () => {
  const seen = new Set<string>();
  for (let seed = 1; seed < 100; seed++) {
    const disk = await newDisk();
    await disk.open('/d/a', DURABLE);
    await disk.rename('/d/a', '/d/b');
    await disk.link('/d/b', '/d/c');
    await disk.remove('/d/b');
    const random = new SeededRandom(seed);
    const survival = { sector: () => true, names: (changes: number) => random.below(changes + 1) };
    const content = disk.crash(survival);
    const names = content.length === 0 ? [] : await new FaultyFiles({ content }).list('/d');
    seen.add(names.join(' '));
  }
  assert.deepEqual(seen, new Set(['', 'a', 'b', 'b c', 'c']));
});

test('an unsynced write survives by sectors', async () => {
  const disk = await newDisk();
  const file = await disk.open('/d/a', DURABLE);
  await disk.syncDirectory('/d');
  await writeText(file, '-'.repeat(4 * SECTOR_BYTES));
  const again = await disk.open('/d/a', CREATE);
  await writeText(again, '+'.repeat(4 * SECTOR_BYTES));
  let sector = 0;
  const content = disk.crash({ sector: () => sector++ % 2 === 0, names: () => 0 });
  const halves = ['+', '-', '+', '-'].map((octet) => octet.repeat(SECTOR_BYTES));
  assert.equal(await contentOf(new FaultyFiles({ content }), '/d/a'), halves.join(''));
});

test('after a sync that failed no other makes durable what was written before', async () => {
  const disk = await newDisk();
  const file = await disk.open('/d/a', CREATE);
  await disk.syncDirectory('/d');
  await writeText(file, 'doomed');
  disk.fail({ call: 'sync' });
  await assert.rejects(file.sync(), { code: 'EIO' });
  await file.sync();
  const after = new FaultyFiles({ content: disk.crash(NOTHING_MORE) });
  assert.equal(await contentOf(after, '/d/a'), '');
});

test('calls fail when they are told to, and then no more', async () => {
  const disk = await newDisk();
  const file = await disk.open('/d/a', DURABLE);
  disk.fail({ call: 'write', path: '/a', after: 1, times: 2, code: 'ENOSPC', share: 0.5 });
  await writeText(file, 'x');
  const wide = '+'.repeat(2 * SECTOR_BYTES);
  await assert.rejects(writeText(file, wide), { code: 'ENOSPC' });
  await assert.rejects(writeText(file, wide), { code: 'ENOSPC' });
  assert.equal((await contentOf(disk, '/d/a')).length, SECTOR_BYTES);
  await writeText(file, wide);
  assert.equal(await contentOf(disk, '/d/a'), wide);
});

test('a disk has the room it is given', async () => {
  const disk = new FaultyFiles({ roomBytes: 1_000 });
  await disk.makeDirectory('/d');
  const file = await disk.open('/d/a', DURABLE);
  await writeText(file, '-'.repeat(900));
  await assert.rejects(writeText(file, '+'.repeat(200), 900), { code: 'ENOSPC' });
  await writeText(file, '+'.repeat(900));
  disk.roomBytes = 2_000;
  await writeText(file, '+'.repeat(200), 900);
});

test('a dead disk answers nobody, and nothing changes on it', async () => {
  const disk = await newDisk();
  const file = await disk.open('/d/a', DURABLE);
  await disk.syncDirectory('/d');
  const { length } = disk.events;
  let crashed = 0;
  disk.crashAfter(2, () => crashed++);
  const writing = writeText(file, 'x').then(() => writeText(file, 'y'));
  const answer = await Promise.race([writing, new Promise((resolve) => setImmediate(resolve, 1))]);
  assert.equal(answer, 1);
  assert.deepEqual([crashed, disk.isDead, disk.events.length], [1, true, length + 2]);
  assert.equal(await contentOf(new FaultyFiles({ content: disk.crash(EVERYTHING) }), '/d/a'), 'x');
});

test('a name that is not there is an error as of the machine', async () => {
  const disk = await newDisk();
  await assert.rejects(disk.open('/d/a', READ), { code: 'ENOENT' });
  await assert.rejects(disk.rename('/d/a', '/d/b'), { code: 'ENOENT' });
  await assert.rejects(disk.remove('/d/a'), { code: 'ENOENT' });
  await assert.rejects(disk.list('/e'), { code: 'ENOENT' });
  const file = await disk.open('/d/a', CREATE);
  await assert.rejects(disk.link('/d/a', '/d/a'), { code: 'EEXIST' });
  await file.close();
  await assert.rejects(file.size(), { code: 'EBADF' });
});
