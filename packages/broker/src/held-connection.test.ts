import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { decodeMethod, encodeMethodFrame, FRAME_METHOD } from '@leveret/amqp';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';
import type { DiskFile, Files } from './store/disk/files.js';
import { nodeFiles } from './store/disk/node-files.js';

const DECLARE = {
  queue: 'q',
  passive: false,
  durable: true,
  exclusive: false,
  autoDelete: false,
  nowait: false,
  arguments: new Map(),
};

const PERSISTENT = publishFrames({
  channel: 1,
  routingKey: 'q',
  properties: { deliveryMode: 2 },
  body: Buffer.from('hello'),
});

async function newDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

async function connect(broker: Broker): Promise<RawPeer> {
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  const peer = new RawPeer(ours);
  await peer.handshake();
  await peer.openChannel(1);
  return peer;
}

test('no confirm comes on a channel that has been closed, when the disk has got so far', async (t) => {
  const storage = { directory: await newDirectory(t), fileBytes: 1_048_576 };
  const broker = await Broker.open({ storage });
  const peer = await connect(broker);
  peer.send(1, 'queue.declare', DECLARE);
  await peer.expect('queue.declare-ok');
  peer.send(1, 'confirm.select', { nowait: false });
  await peer.expect('confirm.select-ok');
  const reason = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
  peer.duplex.write(
    Buffer.concat([PERSISTENT, PERSISTENT, encodeMethodFrame(1, 'channel.close', reason)]),
  );
  await peer.expect('channel.close-ok');
  // Another channel under the same number has not published anything.
  await peer.openChannel(1);
  peer.send(1, 'queue.declare', { ...DECLARE, queue: 'next' });
  await peer.expect('queue.declare-ok');
  await peer.close();
  await broker.close();
});

/** The machine's disk, whose reads can be held up. */
class SlowDisk {
  /** How many reads wait. */
  waiting = 0;
  #isHeld = false;
  #release: () => void = () => {};
  #released: Promise<void> = Promise.resolve();

  readonly files: Files = {
    ...nodeFiles,
    open: async (path, options) => this.#slow(await nodeFiles.open(path, options)),
  };

  hold(): void {
    this.#isHeld = true;
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  letGo(): void {
    this.#isHeld = false;
    this.#release();
  }

  #slow(file: DiskFile): DiskFile {
    return {
      size: () => file.size(),
      write: (bytes, position) => file.write(bytes, position),
      sync: () => file.sync(),
      close: () => file.close(),
      read: async (buffer, length, position) => {
        if (this.#isHeld) this.waiting++;
        await this.#released;
        return await file.read(buffer, length, position);
      },
    };
  }
}

test('a peer that waits for a message from the disk goes on if its queue is deleted', async (t) => {
  const disk = new SlowDisk();
  const directory = await newDirectory(t);
  const storage = { directory, fileBytes: 16_777_216, files: disk.files };
  const first = await Broker.open({ storage });
  const publisher = await connect(first);
  publisher.send(1, 'queue.declare', DECLARE);
  await publisher.expect('queue.declare-ok');
  const body = Buffer.alloc(100_000);
  const properties = { deliveryMode: 2 };
  const publish = publishFrames({ channel: 1, routingKey: 'q', properties, body });
  publisher.duplex.write(Buffer.concat(Array.from({ length: 50 }, () => publish)));
  await publisher.close();
  await first.close();

  // What was there before the start is on the disk alone.
  const broker = await Broker.open({ storage });
  const getter = await connect(broker);
  const deleter = await connect(broker);
  let replies = 0;
  let refusal: string | undefined;
  getter.onFrame = ({ type, payload }) => {
    if (type !== FRAME_METHOD) return;
    const method = decodeMethod(payload, 0, payload.length);
    replies++;
    if (method.name === 'channel.close') refusal = method.args.replyText;
  };
  // The first one reserves more positions than there are; what most of the others need is read.
  const ask = (): void => getter.send(1, 'basic.get', { queue: 'q', noAck: false });
  ask();
  await until(() => replies === 1, 'an answer');
  disk.hold();
  for (let asked = 1; asked < 50; asked++) ask();
  await until(() => disk.waiting > 0, 'a read');
  deleter.send(1, 'queue.delete', { queue: 'q', ifUnused: false, ifEmpty: false, nowait: false });
  await deleter.expect('queue.delete-ok');
  assert.ok(replies < 50, 'nothing had to be read');
  disk.letGo();
  await until(() => refusal !== undefined, 'an answer');
  assert.equal(refusal, "NOT_FOUND - no queue 'q' in vhost '/'");
  getter.onFrame = undefined;
  getter.send(1, 'channel.close-ok', {});
  await Promise.all([getter.close(), deleter.close()]);
  await broker.close();
});
