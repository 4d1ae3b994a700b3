import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { Broker } from './broker.js';
import type { BrokerOptions } from './broker-options.js';
import { Refusal } from './core/refusal.js';
import { RawPeer } from './protocols/amqp091/raw-peer.test.support.js';

const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

function newBroker(t: TestContext, options: BrokerOptions = {}): Broker {
  const broker = new Broker(options);
  t.after(() => broker.close());
  return broker;
}

/** A directory of the test's own, and how to open a broker on it. */
async function opener(t: TestContext): Promise<(options?: BrokerOptions) => Promise<Broker>> {
  const directory = await mkdtemp(join(tmpdir(), 'leveret-access-'));
  t.after(() => rm(directory, { recursive: true }));
  return (options) => Broker.open({ ...options, storage: { directory } });
}

function refusal(text: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Refusal);
    assert.equal(error.message, text);
    return true;
  };
}

describe('the users of a broker', () => {
  test('begin with guest, an administrator who may do everything', (t) => {
    const { users, permissions, vhosts } = newBroker(t);
    const [guest, ...others] = users.list();
    assert.deepEqual([guest?.name, guest?.tags, others], ['guest', ['administrator'], []]);
    assert.deepEqual(permissions.list(), [{ user: 'guest', vhost: '/', ...EVERYTHING }]);
    assert.deepEqual(vhosts.list(), [{ name: '/', description: '', tags: [], limits: {} }]);
  });

  test('begin with another user and virtual host if that is asked for', (t) => {
    const defaultUser = { name: 'jürgen', password: 'pässword' };
    const { users, permissions } = newBroker(t, { defaultUser, defaultVhost: 'grün' });
    assert.deepEqual(
      users.list().map(({ name, hashing_algorithm }) => [name, hashing_algorithm]),
      [['jürgen', 'leveret_password_hashing_scrypt']],
    );
    assert.deepEqual(permissions.list(), [{ user: 'jürgen', vhost: 'grün', ...EVERYTHING }]);
  });

  test('are made, changed and deleted by names in text', async (t) => {
    const { users, permissions } = newBroker(t);
    await users.create({ name: 'jürgen', password: 'x', tags: ['größe'], limits: {} });
    users.setTags('jürgen', ['prüfer']);
    users.setLimits('jürgen', { 'max-channels': 3 });
    const { password_hash, ...rest } = users.get('jürgen')!;
    await users.setPassword('jürgen', 'y');
    assert.notEqual(users.get('jürgen')?.password_hash, password_hash);
    const expected = { name: 'jürgen', tags: ['prüfer'], limits: { 'max-channels': 3 } };
    assert.deepEqual(rest, { ...expected, hashing_algorithm: 'leveret_password_hashing_scrypt' });
    const topic = { user: 'jürgen', vhost: '/', exchange: 'ä', write: '', read: '' };
    permissions.setTopic(topic);
    assert.deepEqual(permissions.listTopics({ user: 'jürgen' }), [topic]);
    assert.equal(users.delete('jürgen'), true);
    assert.equal(users.delete('jürgen'), false);
    assert.deepEqual(permissions.listTopics(), [], 'what was permitted is gone, too');
  });

  test('are refused in text when something is wrong, and nothing is changed', async (t) => {
    const { users, permissions, vhosts } = newBroker(t);
    const create = (user: Parameters<typeof users.create>[0]): Promise<void> => users.create(user);
    await assert.rejects(create({ name: 'guest' }), refusal("user 'guest' already exists"));
    await assert.rejects(create({ name: '' }), refusal('a user needs a name'));
    await assert.rejects(
      create({ name: 'a', password: '' }),
      refusal('a password may not be blank'),
    );
    const both = { name: 'a', password: 'x', password_hash: 'y' };
    await assert.rejects(create(both), /a password or a password hash, not both/);
    await assert.rejects(create({ name: 'a', password_hash: '?' }), /not base64/);
    const limits = { 'max-channels': 'many' as unknown as number };
    const text = 'max-channels should be an integer, actually was "many"';
    await assert.rejects(create({ name: 'a', limits }), refusal(text));
    await assert.rejects(users.setPassword('grün', 'x'), refusal("user 'grün' does not exist"));
    assert.throws(() => users.setTags('grün', []), refusal("user 'grün' does not exist"));
    const permission = { user: 'guest', vhost: 'grün', ...EVERYTHING };
    const missing = refusal("virtual host 'grün' does not exist");
    assert.throws(() => permissions.set(permission), missing);
    assert.throws(() => vhosts.setLimits('grün', {}), missing);
    assert.throws(
      () => permissions.set({ ...permission, vhost: '/', read: '(' }),
      refusal('invalid regular expression \'(\': {"missing )",1}'),
    );
    assert.throws(() => vhosts.create({ name: '/' }), refusal("virtual host '/' already exists"));
    assert.deepEqual(permissions.list(), [{ user: 'guest', vhost: '/', ...EVERYTHING }]);
    assert.equal(users.list().length, 1);
  });
});

describe('what is said about access', () => {
  test('survives the broker, and is not given back once it is taken away', async (t) => {
    const open = await opener(t);
    const first = await open();
    await first.users.create({ name: 'alice', password: 'secret', tags: ['management'] });
    first.vhosts.create({ name: 'grün', description: 'dunkel', tags: ['a'] });
    first.vhosts.setLimits('grün', { 'max-queues': 2 });
    first.permissions.set({ user: 'alice', vhost: 'grün', configure: '', write: 'a', read: 'b' });
    first.permissions.setTopic({
      user: 'alice',
      vhost: 'grün',
      exchange: 'x',
      write: '',
      read: '',
    });
    first.users.delete('guest');
    first.vhosts.delete('/');
    const said = [first.users, first.permissions, first.vhosts].map((each) => each.list());
    const topics = first.permissions.listTopics();
    await first.close();
    // Once from what was noted as it came, once from what was noted of all of it.
    for (const _ of [1, 2]) {
      const next = await open();
      assert.deepEqual(
        [next.users, next.permissions, next.vhosts].map((each) => each.list()),
        said,
      );
      assert.deepEqual(next.permissions.listTopics(), topics);
      await next.close();
    }
  });

  test('of a virtual host that was deleted and made again nothing is left', async (t) => {
    const open = await opener(t);
    const first = await open();
    first.vhosts.create({ name: 'v' });
    first.permissions.set({ user: 'guest', vhost: 'v', ...EVERYTHING });
    const [theirs, ours] = duplexPair();
    first.accept(theirs);
    const peer = new RawPeer(ours);
    await peer.handshake({ virtualHost: 'v' });
    await peer.openChannel(1);
    peer.send(1, 'queue.declare', {
      queue: 'q',
      passive: false,
      durable: true,
      exclusive: false,
      autoDelete: false,
      nowait: false,
      arguments: new Map(),
    });
    await peer.expect('queue.declare-ok');
    first.vhosts.delete('v');
    first.vhosts.create({ name: 'v' });
    await peer.agreeToClose();
    await first.close();
    const second = await open();
    assert.deepEqual(second.permissions.list({ vhost: 'v' }), []);
    second.permissions.set({ user: 'guest', vhost: 'v', ...EVERYTHING });
    assert.equal(second.vhosts.delete('v'), true);
    await second.close();
  });

  test('is logged with who and where, and never with a password', async (t) => {
    const log: unknown[] = [];
    const say = (message: string, fields: unknown): void => void log.push([message, fields]);
    const logger = { trace: say, debug: say, info: say, warn: say, error: say };
    const { users, permissions } = newBroker(t, { logger });
    await users.create({ name: 'jürgen', password: 'geheim' });
    await users.setPassword('jürgen', 'geheimer');
    permissions.delete('guest', '/');
    assert.deepEqual(log, [
      ['user created', { name: 'jürgen' }],
      ['user password changed', { name: 'jürgen' }],
      ['permission deleted', { user: 'guest', vhost: '/' }],
    ]);
  });
});
