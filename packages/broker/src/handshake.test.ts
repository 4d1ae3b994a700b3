import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { encodeMethodFrame, fromFieldTable, PROTOCOL_HEADER, toFieldTable } from '@leveret/amqp';
import { ManualClock } from './base/manual-clock.test.support.js';
import { until } from './base/until.test.support.js';
import { Broker } from './broker.js';
import type { BrokerOptions } from './broker-options.js';
import { CONNECTION_LIMITS } from './protocols/amqp091/limits.js';
import { RawPeer } from './protocols/amqp091/raw-peer.test.support.js';

const { handshakeMilliseconds, refusalMilliseconds } = CONNECTION_LIMITS;

/** A broker whose clock stands still, a peer of it, and what it says. */
interface World {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly peer: RawPeer;
  /** The broker's end of the stream. */
  readonly theirs: Duplex;
  readonly log: string[];
}

function newWorld(options: BrokerOptions = {}): World {
  const clock = new ManualClock();
  const log: string[] = [];
  const say = (message: string): void => void log.push(message);
  const logger = { trace: say, debug: say, info: say, warn: say, error: say };
  const broker = new Broker({ clock, logger, ...options });
  const [theirs, ours] = duplexPair();
  broker.accept(theirs);
  return { broker, clock, peer: new RawPeer(ours), theirs, log };
}

const NO_MORE = { virtualHost: '/', capabilities: '', insist: false };

/** Up to where the broker awaits start-ok. */
async function started(options?: BrokerOptions): Promise<World> {
  const world = newWorld(options);
  world.peer.duplex.write(PROTOCOL_HEADER);
  await world.peer.expect('connection.start');
  return world;
}

/** That the broker says nothing more, and cuts the peer off after the time for a refused one. */
async function assertRefused({ broker, clock, peer, theirs, log }: World): Promise<void> {
  await until(() => log.some((line) => line.startsWith('handshake refused')), 'a refusal');
  const { received } = peer;
  clock.advance(refusalMilliseconds - 1);
  assert.equal(theirs.destroyed, false);
  clock.advance(1);
  assert.equal(theirs.destroyed, true);
  assert.equal(peer.received, received, 'not a word');
  await broker.close();
  assert.equal(clock.timers, 0);
}

test('a handshake brings a connection about, and is forgotten', async () => {
  const { broker, clock, peer, theirs } = newWorld();
  await peer.handshake();
  clock.advance(2 * handshakeMilliseconds);
  assert.equal(theirs.destroyed, false);
  await peer.openChannel(1);
  await peer.close();
  await broker.close();
  assert.equal(clock.timers, 0);
});

test('connection.start and connection.tune say what the broker is and can', async () => {
  const { broker, peer } = newWorld({
    limits: { channelsMax: 7, frameBytesMax: 10_000, heartbeatSeconds: 33 },
    serverProperties: { product: 'Other' },
  });
  peer.duplex.write(PROTOCOL_HEADER);
  const start = await peer.expect('connection.start');
  assert.equal(start.versionMajor, 0);
  assert.equal(start.versionMinor, 9);
  assert.deepEqual(start.mechanisms.split(' ').sort(), ['AMQPLAIN', 'PLAIN']);
  const { product, version, capabilities } = fromFieldTable(start.serverProperties);
  assert.equal(product, 'Other');
  assert.equal(version, '3.13.7');
  assert.equal((capabilities as Record<string, unknown>)['basic.nack'], true);
  peer.login();
  const tune = await peer.expect('connection.tune');
  assert.deepEqual(tune, { channelMax: 7, frameMax: 10_000, heartbeat: 33 });
  await broker.close();
});

test('everything at once, octet by octet, is a handshake too', async () => {
  const { broker, peer } = newWorld();
  const channelOpen = encodeMethodFrame(1, 'channel.open', { outOfBand: '' });
  const octets = Buffer.concat([
    PROTOCOL_HEADER,
    encodeMethodFrame(0, 'connection.start-ok', {
      clientProperties: new Map(),
      mechanism: 'AMQPLAIN',
      response: '\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x05guest',
      locale: 'en_US',
    }),
    encodeMethodFrame(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4_096, heartbeat: 0 }),
    encodeMethodFrame(0, 'connection.open', NO_MORE),
    channelOpen,
  ]);
  for (const octet of octets) peer.duplex.write(Buffer.from([octet]));
  await peer.expect('connection.start');
  await peer.expect('connection.tune');
  await peer.expect('connection.open-ok');
  await peer.expect('channel.open-ok');
  await peer.close();
  await broker.close();
});

test('another protocol is told which one is spoken here, and closed', async () => {
  for (const header of ['AMQP\0\0\x09\x02', 'GET / HTTP/1.1\r\n\r\n', 'AMQP\x03\x01\0\0']) {
    const clock = new ManualClock();
    const broker = new Broker({ clock });
    const [theirs, ours] = duplexPair();
    broker.accept(theirs);
    const received: Buffer[] = [];
    ours.on('data', (chunk: Buffer) => received.push(chunk));
    ours.write(header, 'latin1');
    await once(ours, 'end');
    assert.deepEqual(Buffer.concat(received), PROTOCOL_HEADER);
    clock.advance(handshakeMilliseconds);
    assert.equal(theirs.destroyed, true, 'though it has not ended its side');
    await broker.close();
  }
});

test('a peer that takes too long is cut off, wherever it stops', async () => {
  const steps: ((peer: RawPeer) => Promise<void> | void)[] = [
    () => {},
    (peer) => void peer.duplex.write(PROTOCOL_HEADER.subarray(0, 7)),
    async (peer) => {
      peer.duplex.write(PROTOCOL_HEADER);
      await peer.expect('connection.start');
    },
    async (peer) => {
      peer.duplex.write(PROTOCOL_HEADER);
      await peer.expect('connection.start');
      peer.login();
      await peer.expect('connection.tune');
    },
  ];
  for (const step of steps) {
    const { broker, clock, peer, theirs } = newWorld();
    await step(peer);
    clock.advance(handshakeMilliseconds - 1);
    assert.equal(theirs.destroyed, false);
    clock.advance(1);
    assert.equal(theirs.destroyed, true);
    await broker.close();
    assert.equal(clock.timers, 0);
  }
});

test('a refused login is told to those who ask to be, and cut off after a while', async () => {
  const silent = await started();
  silent.peer.login('wrong');
  await assertRefused(silent);
  const told = await started();
  told.peer.login('wrong', { capabilities: { authentication_failure_close: true } });
  const { replyCode, replyText } = await told.peer.expect('connection.close');
  assert.equal(replyCode, 403);
  assert.equal(
    replyText,
    'ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. ' +
      'For details see the broker logfile.',
  );
  await assertRefused(told);
});

test('a refused login that the peer agrees to is over at once', async () => {
  const { broker, clock, peer, theirs } = await started();
  peer.login('wrong', { capabilities: { authentication_failure_close: true } });
  await peer.expect('connection.close');
  peer.send(0, 'connection.close-ok', {});
  await once(peer.duplex, 'end');
  peer.duplex.end();
  await until(() => theirs.destroyed, 'the end of the stream');
  await broker.close();
  assert.equal(clock.timers, 0);
});

test('what makes no sense is refused without a word', async () => {
  const startOk =
    (mechanism: string, response: string) =>
    (peer: RawPeer): void =>
      peer.send(0, 'connection.start-ok', {
        clientProperties: toFieldTable({}),
        mechanism,
        response,
        locale: 'en_US',
      });
  for (const send of [
    startOk('EXTERNAL', ''),
    startOk('constructor', ''),
    startOk('__proto__', ''),
    startOk('PLAIN', 'guest'),
    startOk('AMQPLAIN', '\x05LOGINS\0\0\xff\xff'),
    (peer) => peer.send(0, 'connection.open', NO_MORE),
    (peer) => peer.send(1, 'channel.open', { outOfBand: '' }),
    (peer) => void peer.duplex.write(Buffer.from('01000000000002000ace', 'hex')),
    (peer) => void peer.duplex.write(Buffer.from('0100000000000400630063ce', 'hex')),
    (peer) => void peer.duplex.write(Buffer.from('01000000000001ff00', 'hex')),
    (peer) => void peer.duplex.write(Buffer.from('010000ffffffff', 'hex')),
  ] satisfies ((peer: RawPeer) => void)[]) {
    const world = await started();
    send(world.peer);
    await assertRefused(world);
  }
});

test('a tuning beyond the broker’s limits is refused', async () => {
  for (const tuning of [
    { channelMax: 0, frameMax: 4_096 },
    { channelMax: 8, frameMax: 4_096 },
    { channelMax: 7, frameMax: 0 },
    { channelMax: 7, frameMax: 4_095 },
    { channelMax: 7, frameMax: 10_001 },
  ]) {
    const world = await started({ limits: { channelsMax: 7, frameBytesMax: 10_000 } });
    world.peer.login();
    await world.peer.expect('connection.tune');
    world.peer.send(0, 'connection.tune-ok', { ...tuning, heartbeat: 0 });
    await assertRefused(world);
  }
});

test('a virtual host that is not there is a connection error', async () => {
  const { broker, clock, peer } = await started();
  peer.login();
  await peer.expect('connection.tune');
  peer.send(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4_096, heartbeat: 0 });
  peer.send(0, 'connection.open', { ...NO_MORE, virtualHost: 'none' });
  const { replyCode, replyText } = await peer.agreeToClose();
  assert.equal(replyCode, 530);
  assert.match(replyText, /^NOT_ALLOWED - vhost none not found/);
  await broker.close();
  assert.equal(clock.timers, 0);
});

test('a bug in an authenticator ends that peer alone', async () => {
  const { broker, theirs, peer, log } = await started({
    authenticator: {
      login: () => {
        throw new Error('a bug');
      },
    },
  });
  peer.login();
  await until(() => theirs.destroyed);
  assert.ok(log.some((line) => line.startsWith('internal error')));
  await broker.close();
});

test('an authenticator is told who it is, and whether from this machine', async () => {
  const seen: unknown[] = [];
  const { broker, peer } = await started({
    authenticator: {
      login: ({ isAwaited, ...attempt }) => {
        seen.push({ ...attempt, isAwaited: isAwaited() });
        return { name: 'guest' };
      },
    },
  });
  peer.login();
  await peer.expect('connection.tune');
  const attempt = { user: 'guest', password: 'guest', address: '', isLoopback: true };
  assert.deepEqual(seen, [{ ...attempt, isAwaited: true }]);
  await broker.close();
});

/** The mechanisms that a broker offers, and what it says to who asks for one of them. */
async function ask(
  mechanism: string,
  options: BrokerOptions,
): Promise<{ world: World; mechanisms: string }> {
  const world = newWorld(options);
  world.peer.duplex.write(PROTOCOL_HEADER);
  const { mechanisms } = await world.peer.expect('connection.start');
  const clientProperties = new Map();
  world.peer.send(0, 'connection.start-ok', {
    clientProperties,
    mechanism,
    response: 'whatever',
    locale: 'en_US',
  });
  return { world, mechanisms };
}

test('ANONYMOUS and EXTERNAL are offered if they are switched on, and who comes by them is in', async () => {
  for (const [mechanism, options] of [
    ['ANONYMOUS', { anonymousUser: 'guest' }],
    ['EXTERNAL', { externalUser: () => 'guest' }],
  ] as const) {
    const { world, mechanisms } = await ask(mechanism, options);
    assert.equal(mechanisms, `${mechanism} AMQPLAIN PLAIN`);
    await world.peer.expect('connection.tune');
    await world.broker.close();
  }
});

test('ANONYMOUS and EXTERNAL are no mechanisms otherwise, and no way around the users', async () => {
  for (const mechanism of ['ANONYMOUS', 'EXTERNAL']) {
    const { world, mechanisms } = await ask(mechanism, { externalUser: () => undefined });
    assert.equal(mechanisms, 'AMQPLAIN PLAIN');
    await assertRefused(world);
    assert.ok(world.log.includes(`login refused: no credentials for mechanism ${mechanism}`));
    assert.deepEqual(world.broker.logins, { succeeded: 0, failed: 1 });
  }
  const { world } = await ask('EXTERNAL', { externalUser: () => 'nobody' });
  await assertRefused(world);
});

test('who could be known by their stream but is not is offered EXTERNAL, and told no more', async () => {
  const { world, mechanisms } = await ask('EXTERNAL', {
    externalUser: () => ({ reason: 'no name found' }),
  });
  assert.equal(mechanisms, 'EXTERNAL AMQPLAIN PLAIN');
  await assertRefused(world);
  assert.ok(world.log.includes('login refused: no name found'));
  assert.deepEqual(world.broker.logins, { succeeded: 0, failed: 1 });
});

test('what comes behind a login that takes its time waits for it', async () => {
  let letIn = (_user: { name: string }): void => {};
  const { broker, peer } = await started({
    authenticator: {
      login: () =>
        new Promise((resolve) => {
          letIn = resolve;
        }),
    },
  });
  peer.login();
  peer.send(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4_096, heartbeat: 0 });
  peer.send(0, 'connection.open', NO_MORE);
  await setImmediate();
  letIn({ name: 'guest' });
  await peer.expect('connection.tune');
  await peer.expect('connection.open-ok');
  assert.deepEqual(broker.logins, { succeeded: 1, failed: 0 });
  await peer.close();
  await broker.close();
});

test('a login that fails inside, or comes too late, harms nobody', async () => {
  let isAwaited = (): boolean => false;
  let fail = (_error: Error): void => {};
  const { broker, peer, theirs, log } = await started({
    authenticator: {
      login: (attempt) => {
        ({ isAwaited } = attempt);
        return new Promise((_, reject) => {
          fail = reject;
        });
      },
    },
  });
  peer.login();
  await until(() => isAwaited());
  theirs.destroy();
  await until(() => !isAwaited());
  fail(new Error('a bug'));
  await until(() => log.some((line) => line.startsWith('internal error')));
  await broker.close();
});
