import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from './base/manual-clock.test.support.js';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';
import type { Files } from './store/disk/files.js';
import { nodeFiles } from './store/disk/node-files.js';

const FILE_BYTES = 1_048_576;

/** Room for three of a journal's files, with the alarm; for two of them without. */
const DISK_BYTES = 3.5 * FILE_BYTES;

/** A disk that has no more room than that. */
const smallDisk: Files = {
  ...nodeFiles,
  freeBytes: async (directory) => {
    const names = await readdir(directory);
    const sizes = await Promise.all(names.map((name) => bytesOf(join(directory, name))));
    return DISK_BYTES - sizes.reduce((sum, bytes) => sum + bytes, 0);
  },
};

/** None if it has gone meanwhile. */
function bytesOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

/** How often the disk is looked at before there is nothing more to hope for. */
const LOOKS_MAX = 2_000;

test('one message that is left does not keep the disk full, and publishers waiting', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-'));
  t.after(() => rm(directory, { recursive: true }));
  const clock = new ManualClock();
  const disk = { files: smallDisk, diskFreeBytesMin: FILE_BYTES };
  const storage = { directory, fileBytes: FILE_BYTES, ...disk };
  const broker = await Broker.open({ clock, storage });
  const [publisher, consumer] = [await connect(broker), await connect(broker)];
  t.after(async () => {
    for (const { duplex } of [publisher, consumer]) duplex.end();
    await broker.close();
  });
  await declare(publisher, 'kept');
  await declare(publisher, 'drained');
  publish(publisher, 'kept');
  for (let number = 0; number < 300; number++) publish(publisher, 'drained');
  await lookUntil(clock, async () => (await smallDisk.freeBytes(directory)) < FILE_BYTES);
  await look(clock);
  publish(publisher, 'drained');
  await publisher.expect('connection.blocked');
  let isUnblocked = false;
  const unblocked = publisher.expect('connection.unblocked').then(() => {
    isUnblocked = true;
  });
  consumer.send(1, 'queue.purge', { queue: 'drained', nowait: false });
  assert.equal((await consumer.expect('queue.purge-ok')).messageCount, 300);
  await lookUntil(clock, () => Promise.resolve(isUnblocked));
  await unblocked;
  consumer.send(1, 'basic.get', { queue: 'kept', noAck: true });
  await consumer.expect('basic.get-ok');
});

async function connect(broker: Broker): Promise<RawPeer> {
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  const peer = new RawPeer(ours);
  await peer.handshake({ clientProperties: { capabilities: { 'connection.blocked': true } } });
  await peer.openChannel(1);
  return peer;
}

async function declare(peer: RawPeer, queue: string): Promise<void> {
  const flags = { passive: false, durable: true, exclusive: false, autoDelete: false };
  peer.send(1, 'queue.declare', { queue, ...flags, nowait: false, arguments: new Map() });
  await peer.expect('queue.declare-ok');
}

function publish(peer: RawPeer, routingKey: string): void {
  const properties = { deliveryMode: 2 };
  const body = Buffer.alloc(4_000);
  peer.duplex.write(publishFrames({ channel: 1, routingKey, properties, body }));
}

/** Has the disk looked at until something holds. */
async function lookUntil(clock: ManualClock, condition: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    if (await condition()) return;
    await look(clock);
  }
  assert.fail('it has not come about');
}

async function look(clock: ManualClock): Promise<void> {
  const { timers } = clock;
  clock.advance(1_000);
  await until(() => clock.timers === timers, 'the next look');
}
