import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DiskEvent, DiskState, EVERYTHING } from '../simulation/disk-state.js';
import { FaultyFiles } from '../simulation/faulty-files.js';
import { bodyOf } from '../simulation/traffic/bodies.js';
import { drain, idsFrom, publish } from '../simulation/traffic/errands.js';
import { World } from '../simulation/world.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { diskOf, filesOf } from './damage.js';

const FILE_BYTES = 8_192;
/** As many messages as fill a file. */
const FULL = 60;

function open(disk: FaultyFiles): Promise<World> {
  return World.open(disk, new SeededRandom(1), { fileBytes: FILE_BYTES });
}

function journalsOn(disk: FaultyFiles): string[] {
  const names = [...filesOf(disk).keys()];
  return names.filter((name) => /^journal-\d+$/.test(name)).sort((a, b) => (a < b ? -1 : 1));
}

async function passThrough(world: World, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await publish(world, 'passing', idsFrom(1_000, FULL));
    await drain(world, 'passing');
  }
  for (let turn = 0; turn < 300; turn++) await nextTurn();
}

test('an old message in the files of every start does not keep them', async () => {
  let content: DiskEvent[] = [];
  for (let start = 1; start <= 5; start++) {
    const disk = new FaultyFiles({ content });
    const world = await open(disk);
    await publish(world, 'old', [start]);
    // Not so many that the file is full.
    await publish(world, 'passing', idsFrom(1_000, 20));
    await drain(world, 'passing');
    await world.close();
    content = disk.crash(EVERYTHING);
  }
  const disk = new FaultyFiles({ content });
  const world = await open(disk);
  await passThrough(world, 6);
  assert.equal(journalsOn(disk).length, 1, journalsOn(disk).join());
  assert.deepEqual(await drain(world, 'old'), [1, 2, 3, 4, 5]);
  world.cut();
});

test('a file that was being begun when the power went is cleared away', async () => {
  let content: DiskEvent[] = [];
  for (let start = 0; start < 3; start++) {
    const disk = new FaultyFiles({ content });
    const world = await open(disk);
    await publish(world, 'q', [start]);
    const before = disk.events.length;
    await passThrough(world, 2);
    const isBegin = (event: DiskEvent): boolean =>
      event.kind === 'rename' && /journal-\d+$/.test(event.to);
    const begin = disk.events.findIndex((event, i) => i >= before && isBegin(event));
    assert.ok(begin > 0);
    world.cut();
    content = DiskState.of(disk.events.slice(0, begin + 1)).afterPowerLoss(EVERYTHING);
  }
  const disk = new FaultyFiles({ content });
  const world = await open(disk);
  await drain(world, 'passing');
  assert.deepEqual(await drain(world, 'q'), [0, 1, 2]);
  await passThrough(world, 6);
  assert.equal(journalsOn(disk).length, 1, journalsOn(disk).join());
  assert.deepEqual(
    world.log.filter((line) => !/cut off/.test(line)),
    [],
  );
  world.cut();
});

test('what has been set aside is not written over when its file is used again', async () => {
  const first = new FaultyFiles();
  const before = await open(first);
  await publish(before, 'q', idsFrom(1, 3));
  await drain(before, 'q');
  before.cut();
  const files = filesOf(first);
  // So that the first file that comes free is the next one's.
  files.delete('journal-spare');
  const name = journalsOn(first).at(-1)!;
  const damaged = Buffer.from(files.get(name)!);
  // In the middle of the messages: nothing in the file is alive.
  damaged[damaged.indexOf(bodyOf(2, 100))]! ^= 1;
  files.set(name, damaged);
  const disk = diskOf(files);
  const world = await open(disk);
  await passThrough(world, 6);
  assert.ok(!journalsOn(disk).includes(name));
  assert.deepEqual(Buffer.from(filesOf(disk).get(`${name}.damaged`)!), damaged);
  world.cut();
});

for (const [what, change] of [
  ['is gone', () => undefined],
  ['is cut short', (bytes: Uint8Array) => bytes.slice(0, 100)],
  ['begins with zeros', (bytes: Uint8Array) => Uint8Array.from(bytes).fill(0, 0, 512)],
] as const) {
  test(`that the last file ${what} is told, also when the one before was not full`, async () => {
    const first = new FaultyFiles();
    const world = await open(first);
    await publish(world, 'q', [1]);
    await world.close();
    const second = new FaultyFiles({ content: first.crash(EVERYTHING) });
    const again = await open(second);
    await publish(again, 'q', [2]);
    again.cut();
    const files = filesOf(second);
    const last = journalsOn(second).at(-1)!;
    const changed = change(files.get(last)!);
    if (changed === undefined) files.delete(last);
    else files.set(last, changed);
    const damaged = await open(diskOf(files));
    assert.match(damaged.log.join('\n'), new RegExp(`${last} at 0: missing`));
    assert.deepEqual(await drain(damaged, 'q'), [1]);
    damaged.cut();
  });
}
