import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { FRAME_BODY } from '@leveret/amqp';
import { ManualClock } from './base/manual-clock.test.support.js';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import type { BrokerOptions } from './broker-options.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';
import type { Files } from './store/disk/files.js';
import { nodeFiles } from './store/disk/node-files.js';

const QUEUE = 'q';

/** Its class and method id. */
const CONNECTION_BLOCKED = 0x000a_003c;

/** Room for some ten messages of {@link publish}. */
const WATERMARK_BYTES = 10_000;

/** A broker, which ends with the test, and its peers with it. */
function serve(t: TestContext, broker: Broker): (heartbeat?: number) => Promise<RawPeer> {
  const peers: RawPeer[] = [];
  t.after(async () => {
    for (const peer of peers) peer.duplex.end();
    await broker.close();
  });
  return async (heartbeat = 0) => {
    const [theirs, ours] = duplexPair();
    broker.accept(theirs);
    const peer = new RawPeer(ours);
    peers.push(peer);
    const clientProperties = { capabilities: { 'connection.blocked': true } };
    await peer.handshake({ heartbeat, clientProperties });
    await peer.openChannel(1);
    return peer;
  };
}

interface World {
  readonly broker: Broker;
  readonly connect: (heartbeat?: number) => Promise<RawPeer>;
}

function newWorld(t: TestContext, options: BrokerOptions = {}): World {
  const broker = new Broker({ memoryHighWatermarkBytes: WATERMARK_BYTES, ...options });
  return { broker, connect: serve(t, broker) };
}

function publish(peer: RawPeer, name: string, bytes = 1_000): void {
  const body = Buffer.alloc(bytes, '.');
  body.write(name);
  peer.duplex.write(publishFrames({ channel: 1, routingKey: QUEUE, body }));
}

/** The names of deliveries that follow one another. */
async function delivered(peer: RawPeer, count: number): Promise<string[]> {
  const names: string[] = [];
  while (names.length < count) {
    const { type, payload } = await peer.next();
    if (type === FRAME_BODY) names.push(nameIn(payload));
  }
  return names;
}

function nameIn(body: Buffer): string {
  return body.toString().replace(/\.+$/, '');
}

function ack(peer: RawPeer, deliveryTag: number, multiple = false): void {
  peer.send(1, 'basic.ack', { deliveryTag, multiple });
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m${i}`);
}

test('a publisher that only publishes waits for consumers, and loses nothing', async (t) => {
  const { connect } = newWorld(t);
  const publisher = await connect();
  await publisher.declareQueue(1, QUEUE);
  const all = names(40);
  for (const name of all) publish(publisher, name);
  assert.equal((await publisher.expect('connection.blocked')).reason, 'low on memory');
  const consumer = await connect();
  await consumer.consume(1, QUEUE, true);
  assert.deepEqual(await delivered(consumer, all.length), all);
  await publisher.expect('connection.unblocked');
});

test('one that consumes too acknowledges past its own publishes', async (t) => {
  const { connect } = newWorld(t);
  const peer = await connect();
  await peer.declareQueue(1, QUEUE);
  await peer.consume(1, QUEUE, false);
  const all = names(30);
  for (const name of all) publish(peer, name);
  const got: string[] = [];
  let isBlocked = 0;
  while (got.length < all.length) {
    const { type, channel, payload } = await peer.next();
    if (type === FRAME_BODY) got.push(nameIn(payload));
    // Everything so far is acknowledged once publishes have to wait.
    if (channel !== 0 || payload.readUInt32BE(0) !== CONNECTION_BLOCKED) continue;
    assert.ok(got.length < all.length, 'some wait');
    isBlocked++;
    ack(peer, got.length, true);
  }
  assert.ok(isBlocked > 0);
  assert.deepEqual(got, all);
});

test('what is kept for it is limited; then nothing more is read', async (t) => {
  const { broker, connect } = newWorld(t, { limits: { blockedBytesMax: 5_000 } });
  const peer = await connect();
  await peer.declareQueue(1, QUEUE);
  await peer.consume(1, QUEUE, false);
  broker.setMemoryHighWatermark(0);
  for (const name of names(10)) publish(peer, name);
  await peer.expect('connection.blocked');
  // It does not come to this any more.
  peer.sendDeclare(1, QUEUE, true);
  await new Promise((resolve) => setImmediate(resolve));
  broker.setMemoryHighWatermark();
  assert.deepEqual(await delivered(peer, 10), names(10));
  await peer.expect('queue.declare-ok');
});

test('other methods on the channel, and the end of the connection, wait in their turn', async (t) => {
  const { broker, connect } = newWorld(t);
  const peer = await connect();
  await peer.declareQueue(1, QUEUE);
  await peer.declareQueue(1, 'other');
  await peer.consume(1, 'other', false);
  broker.setMemoryHighWatermark(0);
  publish(peer, 'a');
  await peer.expect('connection.blocked');
  peer.sendDeclare(1, QUEUE, true);
  const close = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
  peer.send(0, 'connection.close', close);
  broker.setMemoryHighWatermark();
  await peer.expect('connection.unblocked');
  assert.equal((await peer.expect('queue.declare-ok')).messageCount, 1);
  await peer.expect('connection.close-ok');
});

test('what a peer has sent whole before it went is published', async (t) => {
  const { broker, connect } = newWorld(t);
  const peer = await connect();
  await peer.declareQueue(1, QUEUE);
  await peer.consume(1, QUEUE, true);
  await peer.declareQueue(1, 'kept');
  broker.setMemoryHighWatermark(0);
  const body = Buffer.from('left behind');
  peer.duplex.write(publishFrames({ channel: 1, routingKey: 'kept', body }));
  await peer.expect('connection.blocked');
  peer.duplex.end();
  const reader = await connect();
  await reader.consume(1, 'kept', true);
  assert.deepEqual(await delivered(reader, 1), ['left behind']);
});

test('an alarm that comes back keeps the order', async (t) => {
  const { broker, connect } = newWorld(t);
  const peer = await connect();
  await peer.declareQueue(1, QUEUE);
  await peer.declareQueue(1, 'other');
  await peer.consume(1, 'other', false);
  broker.setMemoryHighWatermark(0);
  const all = names(50);
  for (const name of all) publish(peer, name);
  await peer.expect('connection.blocked');
  // Ten of them fill it again.
  broker.setMemoryHighWatermark(WATERMARK_BYTES);
  const reader = await connect();
  await reader.consume(1, QUEUE, true);
  assert.deepEqual(await delivered(reader, all.length), all);
});

test('a peer that waits is not cut off for the heartbeats that are not read', async (t) => {
  const clock = new ManualClock();
  const { broker, connect } = newWorld(t, { clock });
  const peer = await connect(10);
  await peer.declareQueue(1, QUEUE);
  broker.setMemoryHighWatermark(0);
  publish(peer, 'a');
  await peer.expect('connection.blocked');
  clock.advance(120_000);
  broker.setMemoryHighWatermark();
  peer.onFrame = () => {};
  const reader = await connect();
  await reader.consume(1, QUEUE, true);
  assert.deepEqual(await delivered(reader, 1), ['a']);
});

test('publishers wait while there is no room on the disk', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-'));
  t.after(() => rm(directory, { recursive: true }));
  let freeBytes = 49_999_999;
  const files: Files = { ...nodeFiles, freeBytes: () => Promise.resolve(freeBytes) };
  const clock = new ManualClock();
  const storage = { directory, fileBytes: 1_048_576, files };
  const broker = await Broker.open({ clock, storage });
  const connect = serve(t, broker);
  const peer = await connect();
  await peer.declareQueue(1, QUEUE);
  await look(clock);
  publish(peer, 'a');
  assert.equal((await peer.expect('connection.blocked')).reason, 'low on disk');
  freeBytes = 55_000_000;
  await look(clock);
  broker.setMemoryHighWatermark(0);
  const other = await connect();
  publish(other, 'b');
  assert.equal((await other.expect('connection.blocked')).reason, 'low on memory & disk');
  broker.setMemoryHighWatermark();
  freeBytes = 60_000_000;
  await look(clock);
  await peer.expect('connection.unblocked');
  await other.expect('connection.unblocked');
});

/** Lets the disk be looked at. */
async function look(clock: ManualClock): Promise<void> {
  const { timers } = clock;
  clock.advance(1_000);
  await until(() => clock.timers === timers, 'the next look');
}
