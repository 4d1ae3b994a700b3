import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RawConnection } from '../../wire/raw-connection.js';
import { loginError, vhostOfLimits } from '../differences.js';
import { operatedBroker } from './operated-broker.js';

const { broker, operator, run } = await operatedBroker();
const EXCHANGE = 'amq.rabbitmq.event';
const skip = operator === undefined || !(await hasEvents()) ? 'no operator, or no events' : false;

/** How long an event may take: RabbitMQ's come when they come. */
const DEADLINE_MILLISECONDS = 15_000;

async function hasEvents(): Promise<boolean> {
  const raw = await RawConnection.handshake(broker.port);
  await raw.openChannel(1);
  raw.sendMethod(1, 'exchange.declare', { exchange: EXCHANGE, passive: true });
  const { name } = await raw.nextMethod();
  raw.destroy();
  return name === 'exchange.declare-ok';
}

type Headers = Readonly<Record<string, unknown>>;

/** Gives what the events with that key say, until one says all this. */
type Await = (key: string, expected: Headers) => Promise<Headers>;

async function watch(t: TestContext): Promise<Await> {
  const raw = await broker.rawChannel(t);
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue });
  for (const routingKey of ['user.#', 'vhost.#', 'permission.#', 'topic.permission.#']) {
    await raw.call(1, 'queue.bind', { queue, exchange: EXCHANGE, routingKey });
  }
  const seen: (readonly [key: string, headers: Headers])[] = [];
  return async (key, expected) => {
    const says = ([seenKey, headers]: (typeof seen)[number]): boolean =>
      seenKey === key &&
      Object.entries(expected).every(([name, value]) => same(headers[name], value));
    const giveUp = Date.now() + DEADLINE_MILLISECONDS;
    for (;;) {
      const found = seen.find(says);
      if (found !== undefined) return found[1];
      assert.ok(Date.now() < giveUp, `no ${key} with ${JSON.stringify(expected)}`);
      const message = await raw.get(1, queue);
      if (message === undefined) await delay(10);
      else {
        const headers = message.properties.headers as Headers; // a table
        seen.push([String(message.args.routingKey), headers]);
      }
    }
  };
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

describe('events about access', { skip }, () => {
  test('tell of users, virtual hosts and permissions as they come and go', async (t) => {
    const event = await watch(t);
    const user = `told-of-${run}`;
    const vhost = user;
    const permission = { user, vhost, configure: '^a', write: '^b', read: '^c' };
    const topic = { user, vhost, exchange: 'amq.topic', write: '^d', read: '^e' };
    await operator?.define({
      users: [{ name: user, tags: ['monitoring'] }],
      vhosts: [vhost],
      permissions: [permission],
      topicPermissions: [topic],
    });
    const { user_who_performed_action: who } = await event('user.created', { name: user });
    assert.equal(typeof who, 'string');
    await event('user.tags.set', { name: user, tags: ['monitoring'] });
    await event('vhost.created', { name: vhost });
    await event('permission.created', permission);
    await event('topic.permission.created', topic);
    await operator?.setPassword(user, 'another');
    await event('user.password.changed', { name: user });
    await operator?.setUserLimits(user, { 'max-connections': 3 });
    await event('user.limits.set', { username: user, 'max-connections': 3 });
    await operator?.setVhostLimits(vhost, { 'max-queues': 4 });
    const where = broker.expected(vhostOfLimits(vhost));
    await event('vhost.limits.set', { ...where, 'max-queues': 4 });
    await operator?.clearPermission(user, vhost);
    await event('permission.deleted', { user, vhost });
    await operator?.deleteVhost(vhost);
    await event('vhost.deleted', { name: vhost });
    await operator?.deleteUser(user);
    await event('user.deleted', { name: user });
  });

  test('tell of those who come in, and of those who do not', async (t) => {
    const event = await watch(t);
    const raw = await broker.raw(t);
    await raw.close();
    const common = { connection_type: 'network', auth_mechanism: 'PLAIN', ssl: false };
    await event('user.authentication.success', { name: 'guest', ...common });
    const stranger = await broker.socket(t);
    await stranger.start({ user: `stranger-${run}`, password: 'secret' });
    const name = `stranger-${run}`;
    const failure = await event('user.authentication.failure', { name, ...common });
    const error = `user '${name}' - invalid credentials`;
    assert.deepEqual(failure.error, broker.expected(loginError(error)));
    assert.doesNotMatch(JSON.stringify(failure), /secret/);
    assert.match(String(failure.connection_name), /^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
  });
});
