import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { connectionClose, RawConnection } from '../../wire/raw-connection.js';
import { Inbox } from '../clients/inbox.js';
import { operatedBroker } from './operated-broker.js';

const { broker, operator, run } = await operatedBroker();
const vhost = `logins-${run}`;
const everything = { configure: '.*', write: '.*', read: '.*' };
const options = { skip: operator === undefined ? 'no operator' : false };

const GUEST = { username: 'guest', password: 'guest' };

let users = 0;

/** A user of that kind who may do everything in a virtual host of the tests; by amqplib's names. */
async function newUser(permitted = true): Promise<{ username: string; password: string }> {
  const name = `user-${run}-${++users}`;
  const permissions = permitted ? [{ user: name, vhost, ...everything }] : [];
  await operator?.define({ users: [{ name }], permissions });
  after(() => operator?.deleteUser(name));
  return { username: name, password: name };
}

/** A connection that fails with this text. */
async function assertRefused(
  t: TestContext,
  credentials: { username: string; password: string },
  text: string,
  name: string = vhost,
): Promise<void> {
  const raw = await broker.socket(t);
  const { username: user, password } = credentials;
  await raw.authenticate({ user, password });
  raw.sendMethod(0, 'connection.tune-ok', { channelMax: 10, frameMax: 131_072 });
  raw.sendMethod(0, 'connection.open', { virtualHost: name });
  await raw.expectClose(0, connectionClose(530, text, 'connection.open'));
}

describe('logging in', options, () => {
  before(async () => {
    await operator?.define({
      vhosts: [vhost],
      permissions: [{ user: 'guest', vhost, ...everything }],
    });
  });
  after(() => operator?.deleteVhost(vhost));

  test('a user of a definitions file is let in by the password that was hashed', async (t) => {
    const user = await newUser();
    const connection = await broker.amqplib(t, { ...user, vhost });
    const channel = await connection.createChannel();
    await channel.assertQueue(`logins-${run}`, { durable: false });
    await channel.deleteQueue(`logins-${run}`);
  });

  test('an old password is not right any more, as soon as there is another', async (t) => {
    const user = await newUser();
    await broker.amqplib(t, { ...user, vhost });
    await operator?.setPassword(user.username, 'another');
    await broker.amqplib(t, { ...user, password: 'another', vhost });
    await assert.rejects(
      () => broker.amqplib(t, { ...user, vhost }),
      /403 \(ACCESS-REFUSED\)|ACCESS_REFUSED - Login was refused/,
    );
  });

  test('an empty password lets nobody in', async (t) => {
    const { username } = await newUser();
    await assert.rejects(() => broker.amqplib(t, { username, password: '', vhost }), /ACCESS/);
  });

  test('530 for a virtual host that a user has no permissions in', async (t) => {
    const user = await newUser(false);
    const text = `access to vhost '${vhost}' refused for user '${user.username}'`;
    await assertRefused(t, user, text);
  });

  test('530 once the permissions have been taken away', async (t) => {
    const user = await newUser();
    const connection = await broker.amqplib(t, { ...user, vhost });
    await connection.close();
    await operator?.clearPermission(user.username, vhost);
    const text = `access to vhost '${vhost}' refused for user '${user.username}'`;
    await assertRefused(t, user, text);
  });

  test('530 when a user has as many connections as may be', async (t) => {
    const user = await newUser();
    const { username: name, password } = user;
    await operator?.setUserLimits(name, { 'max-connections': 1 });
    const first = await RawConnection.handshake(broker.port, { user: name, password, vhost });
    const text = `connection refused for user '${name}': user connection limit (1) is reached`;
    await assertRefused(t, user, text);
    await first.close();
    await operator?.setUserLimits(name, { 'max-connections': 0 });
    await assertRefused(t, user, text.replace('(1)', '(0)'));
    await operator?.setUserLimits(name, { 'max-connections': -1 });
    const second = await RawConnection.handshake(broker.port, { user: name, password, vhost });
    await second.close();
  });

  test('530 when a virtual host has as many connections as may be', async (t) => {
    const user = await newUser();
    await operator?.setVhostLimits(vhost, { 'max-connections': 0 });
    const where = `access to vhost '${vhost}' refused for user '${user.username}'`;
    await assertRefused(t, user, `${where}: connection limit (0) is reached`);
    await operator?.setVhostLimits(vhost, {});
    await broker.amqplib(t, { ...user, vhost });
  });

  test('a user who is deleted is cut off, and cannot come back', async (t) => {
    const name = `doomed-${run}`;
    const permissions = [{ user: name, vhost, ...everything }];
    await operator?.define({ users: [{ name }], permissions });
    const raw = await broker.raw(t, { user: name, password: name, vhost });
    const deleted = operator?.deleteUser(name);
    await raw.expectClose(0, connectionClose(320, `user '${name}' is deleted`));
    await deleted;
    const again = broker.amqplib(t, { username: name, password: name, vhost });
    await assert.rejects(again, /ACCESS/);
  });

  test('a virtual host that is deleted takes its consumers and connections with it', async (t) => {
    const doomed = `doomed-${run}`;
    const permissions = [{ user: 'guest', vhost: doomed, ...everything }];
    await operator?.define({ vhosts: [doomed], permissions });
    const connection = await broker.amqplib(t, { vhost: doomed });
    const closed = once(connection, 'close');
    const channel = await connection.createChannel();
    const { queue } = await channel.assertQueue('', { exclusive: false });
    const consumed = new Inbox<unknown>();
    await channel.consume(queue, consumed.put);
    await operator?.deleteVhost(doomed);
    assert.equal(await consumed.first(), null);
    const [error] = await closed;
    assert.match(String(error), new RegExp(`CONNECTION_FORCED - vhost '${doomed}' is deleted`));
    await assertRefused(t, GUEST, `vhost ${doomed} not found`, doomed);
  });
});
