import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBroker } from '@leveret/broker';
import { connect } from 'amqplib';

/** Users who log in at the same time, each for the first time: each password has to be hashed. */
const USERS = 20;

/** Guesses at a password; a few more than are listened to. */
const GUESSES = 60;

/** A machine may be busy: nobody is cut off for waiting. */
const limits = { handshakeMilliseconds: 300_000 };

/** Confirms there have to be for each login: with a hash on the event loop there is not one. */
const CONFIRMS_PER_LOGIN = 2;

const EVERYTHING = { configure: '.*', write: '.*', read: '.*' };

test('messages are stored and confirmed while a crowd logs in', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'leveret-flood-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const broker = await startBroker({ port: 0, limits, storage: { directory, sync: 'never' } });
  t.after(() => broker.close());
  await broker.users.create({ name: 'first', password: 'secret' });
  const { password_hash, hashing_algorithm } = broker.users.get('first')!;
  for (let i = 0; i < USERS; i++) {
    await broker.users.create({ name: `user-${i}`, password_hash, hashing_algorithm });
    broker.permissions.set({ user: `user-${i}`, vhost: '/', ...EVERYTHING });
  }
  const connection = await connect(broker.url);
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('stored');

  let isOver = false;
  const logins = Array.from({ length: USERS }, (_, i) => login(broker.port, `user-${i}`, 'secret'));
  const everybodyIn = Promise.all(logins).then(() => {
    isOver = true;
  });
  let confirms = 0;
  while (!isOver) {
    channel.sendToQueue('stored', Buffer.from('a message'), { persistent: true });
    await channel.waitForConfirms();
    confirms++;
  }
  await everybodyIn;
  assert.deepEqual(broker.logins, { succeeded: USERS + 1, failed: 0 });
  t.diagnostic(`${confirms} confirms during ${USERS} logins`);
  assert.ok(confirms >= CONFIRMS_PER_LOGIN * USERS, `${confirms} confirms`);
  await connection.close();
});

test('a guesser is not listened to after a while; who is known still is', async (t) => {
  const broker = await startBroker({ port: 0, limits });
  t.after(() => broker.close());
  await broker.users.create({ name: 'alice', password: 'secret' });
  broker.permissions.set({ user: 'alice', vhost: '/', ...EVERYTHING });
  await login(broker.port, 'alice', 'secret');
  const guesses = Array.from({ length: GUESSES }, (_, i) =>
    assert.rejects(login(broker.port, 'alice', `guess-${i}`), /ACCESS[_-]REFUSED/),
  );
  await Promise.all([...guesses, login(broker.port, 'alice', 'secret')]);
  assert.deepEqual(broker.logins, { succeeded: 2, failed: GUESSES });
});

/** By a client that waits as long as it takes. */
async function login(port: number, user: string, password: string): Promise<void> {
  const connection = await connect(`amqp://${user}:${password}@127.0.0.1:${port}`);
  await connection.close();
}
