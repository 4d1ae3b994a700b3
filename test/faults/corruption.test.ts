import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { observe } from '../simulation/observation.js';
import { checkOutcome, type Directory, diskOf, filesOf, sampleDirectory, start } from './damage.js';

/** Set to damage every octet, which takes minutes; else one in so many. */
const step = process.env.LEVERET_LONG_TESTS === '1' ? 1 : 31;

const sample = await sampleDirectory();
const journals = [...sample.files.keys()].filter((name) => /^journal-\d+$/.test(name));

/** The directory with one file changed, or gone. */
function withFile(name: string, bytes: Uint8Array | undefined): Directory {
  const files = new Map(sample.files);
  if (bytes === undefined) files.delete(name);
  else files.set(name, bytes);
  return files;
}

function lengthUsed(bytes: Uint8Array): number {
  return Buffer.from(bytes).findLastIndex((octet) => octet !== 0) + 1;
}

async function check(files: Directory, what: string): Promise<void> {
  checkOutcome(sample, await start(files, sample.fileBytes), what);
}

for (const [name, bytes] of sample.files) {
  test(`an octet of ${name} is not what it was`, async () => {
    for (let at = 0; at < lengthUsed(bytes); at += step) {
      const flipped = Uint8Array.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      await check(withFile(name, flipped), `octet ${at} of ${name}`);
    }
  });
}

test('an octet of the last batch is not what it was', async () => {
  const name = journals.at(-1)!;
  const bytes = sample.files.get(name)!;
  for (let at = Buffer.from(bytes).lastIndexOf('LVRB'); at < lengthUsed(bytes); at++) {
    const flipped = Uint8Array.from(bytes);
    flipped[at]! ^= 1 << (at % 8);
    const outcome = await start(withFile(name, flipped), sample.fileBytes);
    checkOutcome(sample, outcome, `octet ${at} of ${name}`);
    assert.ok(outcome.kind === 'started' && outcome.state !== sample.state);
  }
});

for (const name of journals) {
  test(`the end of ${name} is missing`, async () => {
    const bytes = sample.files.get(name)!;
    for (let length = 0; length < lengthUsed(bytes); length += step) {
      const what = `${name} cut to ${length}`;
      const outcome = await start(withFile(name, bytes.slice(0, length)), sample.fileBytes);
      // Whole batches gone from the end of the last file look as if they had never been written.
      if (name === journals.at(-1) && outcome.kind === 'started' && length >= 128) continue;
      checkOutcome(sample, outcome, what);
    }
  });
}

test('a file is missing', async () => {
  for (const name of sample.files.keys()) await check(withFile(name, undefined), `${name} gone`);
});

test('files have changed places', async () => {
  for (const one of sample.files.keys()) {
    for (const other of sample.files.keys()) {
      if (one >= other) continue;
      const files = new Map(sample.files);
      files.set(one, sample.files.get(other)!);
      files.set(other, sample.files.get(one)!);
      await check(files, `${one} and ${other} changed`);
    }
  }
});

test('a damaged file is set aside, and the broker goes on', async () => {
  const name = journals.at(-1)!;
  const bytes = Uint8Array.from(sample.files.get(name)!);
  bytes[300]! ^= 1;
  const disk = diskOf(withFile(name, bytes));
  await observe(disk, sample.fileBytes);
  assert.deepEqual(filesOf(disk).get(`${name}.damaged`), bytes);
});

test('all data gone is no reason to begin with nothing', async () => {
  const files = new Map(sample.files);
  for (const name of journals) files.delete(name);
  const outcome = await start(files, sample.fileBytes);
  assert.equal(outcome.kind === 'refused' && outcome.error.name, 'DamagedJournalError');
});

test('a directory of a newer version is refused, and nothing in it is changed', async () => {
  const files = new Map(sample.files);
  const name = journals.at(-1)!;
  const bytes = Buffer.from(files.get(name)!);
  for (const at of [0, 64]) {
    bytes.writeUInt32BE(2, at + 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(at, at + 60)), at + 60);
  }
  files.set(name, bytes);
  const outcome = await start(files, sample.fileBytes);
  assert.ok(outcome.kind === 'refused');
  assert.equal(outcome.error.name, 'NewerFormatError');
  assert.match(outcome.error.message, new RegExp(`/${name} at 0: .*format 2`));
});

test('a disk that takes no writes is one clear error, and nothing on it is changed', async () => {
  for (const code of ['EROFS', 'EACCES']) {
    const disk = diskOf(sample.files);
    for (const call of ['write', 'rename', 'remove', 'sync', 'syncDirectory'] as const) {
      disk.fail({ call, code, times: Number.POSITIVE_INFINITY });
    }
    await assert.rejects(observe(disk, sample.fileBytes), { code });
    const left = await start(filesOf(disk), sample.fileBytes);
    assert.deepEqual(left, { kind: 'started', state: sample.state });
  }
});
