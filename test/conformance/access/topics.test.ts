import { after, before, describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../../wire/raw-connection.js';
import { accessRefused, topicOfCarbonCopy, topicRefused } from '../differences.js';
import { operatedBroker } from './operated-broker.js';

const { broker, operator, run } = await operatedBroker();
const vhost = `topics-${run}`;
const user = `topical-${run}`;
const everything = { configure: '.*', write: '.*', read: '.*' };
const EXCHANGE = 'amq.topic';

/** What is said of a routing key that is not permitted. */
function refused(permission: 'write' | 'read', key: string): string {
  return broker.expected(topicRefused(permission, key, EXCHANGE, vhost, user));
}

/** Channel 1 of the user's, in confirm mode. */
async function channel(t: TestContext): Promise<RawConnection> {
  const raw = await broker.rawChannel(t, { user, password: user, vhost });
  await raw.call(1, 'confirm.select');
  return raw;
}

describe('topic permissions', { skip: operator === undefined ? 'no operator' : false }, () => {
  before(async () => {
    await operator?.define({
      vhosts: [vhost],
      users: [{ name: user }],
      permissions: [{ user, vhost, ...everything }],
      topicPermissions: [
        { user, vhost, exchange: EXCHANGE, write: '^{username}\\.{vhost}\\.', read: '^public\\.' },
      ],
    });
  });
  after(async () => {
    await operator?.deleteVhost(vhost);
    await operator?.deleteUser(user);
  });

  test('a routing key with the names in their places is published', async (t) => {
    const raw = await channel(t);
    raw.publish(1, { exchange: EXCHANGE, routingKey: `${user}.${vhost}.x` });
    await raw.expectMethod('basic.ack', 1);
    const key = `${user}.another.x`;
    raw.publish(1, { exchange: EXCHANGE, routingKey: key });
    await raw.expectClose(1, channelClose(403, refused('write', key), 'basic.publish'));
  });

  test('other exchanges are not restricted', async (t) => {
    const raw = await channel(t);
    for (const exchange of ['amq.direct', 'amq.fanout', '']) {
      raw.publish(1, { exchange, routingKey: 'anything' });
      await raw.expectMethod('basic.ack', 1);
    }
  });

  test('queues are bound and unbound with permitted keys alone', async (t) => {
    const raw = await channel(t);
    const { queue } = (await raw.call(1, 'queue.declare', { exclusive: true })).args;
    const binding = { queue: String(queue), exchange: EXCHANGE };
    await raw.call(1, 'queue.bind', { ...binding, routingKey: 'public.#' });
    await raw.call(1, 'queue.unbind', { ...binding, routingKey: 'public.#' });
    for (const [number, method] of ['queue.bind', 'queue.unbind'].entries()) {
      await raw.openChannel(number + 2);
      raw.sendMethod(number + 2, method, { ...binding, routingKey: '#' });
      await raw.expectClose(number + 2, channelClose(403, refused('read', '#'), method));
    }
  });

  test('a carbon copy goes where its sender may publish', async (t) => {
    const raw = await channel(t);
    const routingKey = `${user}.${vhost}.x`;
    const headers = { CC: ['elsewhere'] };
    raw.publish(1, { exchange: EXCHANGE, routingKey }, '', { headers });
    if (broker.expected(topicOfCarbonCopy) === 'published') await raw.expectMethod('basic.ack', 1);
    else {
      const text = refused('write', 'elsewhere');
      await raw.expectClose(1, channelClose(403, text, 'basic.publish'));
    }
  });
});

describe('permissions that change', { skip: broker.isOwn ? false : 'RabbitMQ is slow' }, () => {
  const changing = `changing-${run}`;
  const place = `changing-${run}`;
  before(() =>
    operator?.define({
      vhosts: [place],
      users: [{ name: changing }],
      permissions: [{ user: changing, vhost: place, ...everything }],
    }),
  );

  test('hold at once, on channels that are open', async (t) => {
    const raw = await broker.rawChannel(t, { user: changing, password: changing, vhost: place });
    await raw.call(1, 'confirm.select');
    const publish = { exchange: 'amq.topic', routingKey: 'k' };
    raw.publish(1, publish);
    await raw.expectMethod('basic.ack', 1);
    const restricted = { user: changing, vhost: place, exchange: 'amq.topic', write: '', read: '' };
    await operator?.define({ topicPermissions: [restricted] });
    raw.publish(1, publish);
    const topic = topicRefused('write', 'k', 'amq.topic', place, changing);
    await raw.expectClose(1, channelClose(403, broker.expected(topic), 'basic.publish'));
    await operator?.define({
      permissions: [{ user: changing, vhost: place, configure: '', write: '', read: '' }],
    });
    await raw.openChannel(2);
    raw.publish(2, publish);
    const whole = accessRefused('write', 'exchange', 'amq.topic', place, changing);
    await raw.expectClose(2, channelClose(403, broker.expected(whole), 'basic.publish'));
  });
});
