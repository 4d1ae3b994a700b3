import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { ManualClock } from './base/manual-clock.test.support.js';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import { CONNECTION_LIMITS } from './protocols/amqp091/limits.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';
import { startBroker } from './start-broker.js';

/** A peer of a broker in this process. */
function connect(broker: { accept: Broker['accept'] }): RawPeer {
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  return new RawPeer(ours);
}

test('twenty brokers start, serve by port and by stream, and close; nothing is left open', async () => {
  const before = process.getActiveResourcesInfo();
  const brokers = await Promise.all(Array.from({ length: 20 }, () => startBroker({ port: 0 })));
  assert.equal(new Set(brokers.map((broker) => broker.port)).size, 20);
  await Promise.all(
    brokers.map(async (broker) => {
      const byPort = new RawPeer(createConnection(broker.port, '127.0.0.1'));
      const byStream = connect(broker);
      for (const peer of [byPort, byStream]) {
        await peer.handshake();
        await peer.openChannel(1);
      }
      await byPort.declareQueue(1, 'q');
      await byStream.consume(1, 'q', true);
      const body = Buffer.from('hello');
      byPort.duplex.write(publishFrames({ channel: 1, routingKey: 'q', body }));
      await byStream.expect('basic.deliver');
      await byStream.next();
      assert.deepEqual((await byStream.next()).payload, body);
      const closed = broker.close();
      for (const peer of [byPort, byStream]) {
        const { replyCode, replyText } = await peer.agreeToClose();
        assert.equal(replyCode, 320);
        assert.equal(
          replyText,
          "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
        );
      }
      await closed;
    }),
  );
  await until(() => process.getActiveResourcesInfo().length <= before.length, 'the end of it all');
});

test('a broker that is closed twice, at once or later, is closed', async () => {
  const broker = new Broker();
  const peer = connect(broker);
  await peer.handshake();
  const closed = [broker.close(), broker.close()];
  await peer.agreeToClose();
  await Promise.all(closed);
  await broker.close();
});

test('a peer that does not agree is cut off after a while', async () => {
  const clock = new ManualClock();
  const broker = new Broker({ clock });
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  const peer = new RawPeer(ours);
  await peer.handshake();
  const closed = broker.close();
  await peer.expect('connection.close');
  assert.equal(theirs.destroyed, false);
  clock.advance(2_000);
  assert.equal(theirs.destroyed, true);
  await closed;
  assert.equal(clock.timers, 0);
});

test('the process waits for a broker that is closing, though nothing but a stream in it is open', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  const broker = new Broker();
  const peer = connect(broker);
  await peer.handshake();
  assert.equal(timers(), before);
  const closed = broker.close();
  assert.equal(timers(), before + 1);
  await peer.agreeToClose();
  await closed;
  assert.equal(timers(), before);
});

test('closing cuts off a peer that is still shaking hands, and refuses those that come', async () => {
  const clock = new ManualClock();
  const broker = new Broker({ clock });
  const [theirs] = duplexPair();
  broker.accept(theirs);
  const closed = broker.close();
  assert.equal(theirs.destroyed, true);
  const [late] = duplexPair();
  broker.accept(late);
  assert.equal(late.destroyed, true);
  await closed;
  assert.equal(clock.timers, 0);
});

test('a stream that has closed already is nobody’s', async () => {
  const clock = new ManualClock();
  const broker = new Broker({ clock });
  const [theirs] = duplexPair();
  theirs.destroy();
  await once(theirs, 'close');
  broker.accept(theirs);
  await broker.close();
  assert.equal(clock.timers, 0);
});

test('a peer that has closed its connection cannot keep its stream open', async () => {
  const clock = new ManualClock();
  const broker = new Broker({ clock });
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  const peer = new RawPeer(ours);
  await peer.handshake();
  // From here on it does not end its side when the broker has ended its own.
  ours.removeAllListeners('end');
  peer.send(0, 'connection.close', { replyCode: 200, replyText: '', classId: 0, methodId: 0 });
  await peer.expect('connection.close-ok');
  clock.advance(CONNECTION_LIMITS.closeMilliseconds);
  assert.equal(theirs.destroyed, true);
  await broker.close();
  assert.equal(clock.timers, 0);
});

test('brokers in one process share nothing', async () => {
  const first = new Broker();
  const second = new Broker();
  const peers = [connect(first), connect(second)] as const;
  for (const peer of peers) {
    await peer.handshake();
    await peer.openChannel(1);
  }
  await peers[0].declareQueue(1, 'q');
  peers[1].sendDeclare(1, 'q', true);
  assert.equal((await peers[1].expect('channel.close')).replyCode, 404);
  await Promise.all(peers.map((peer) => peer.close()));
  await Promise.all([first.close(), second.close()]);
});
