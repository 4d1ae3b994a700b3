import { after, before, describe, type TestContext, test } from 'node:test';
import { channelClose, connectionClose, type RawConnection } from '../../wire/raw-connection.js';
import { userChannelLimit } from '../differences.js';
import { operatedBroker } from './operated-broker.js';

const { broker, operator, run } = await operatedBroker();
const vhost = `limits-${run}`;
const user = `limited-${run}`;
const everything = { configure: '.*', write: '.*', read: '.*' };

/** A connection of the user's. */
function connect(t: TestContext): Promise<RawConnection> {
  return broker.raw(t, { user, password: user, vhost });
}

describe('what one user may do', { skip: operator === undefined ? 'no operator' : false }, () => {
  before(async () => {
    await operator?.define({
      vhosts: [vhost],
      users: [{ name: user }],
      permissions: [{ user, vhost, ...everything }],
    });
  });
  after(async () => {
    await operator?.deleteVhost(vhost);
    await operator?.deleteUser(user);
  });

  test('406 when a virtual host has as many queues as may be', async (t) => {
    await operator?.setVhostLimits(vhost, { 'max-queues': 1 });
    const raw = await connect(t);
    await raw.openChannel(1);
    await raw.call(1, 'queue.declare', { queue: 'first' });
    // The one there is may be declared again.
    await raw.call(1, 'queue.declare', { queue: 'first' });
    raw.sendMethod(1, 'queue.declare', { queue: 'second' });
    const text = `cannot declare queue 'second': queue limit in vhost '${vhost}' (1) is reached`;
    await raw.expectClose(1, channelClose(406, text, 'queue.declare'));
    await operator?.setVhostLimits(vhost, {});
    await raw.openChannel(2);
    await raw.call(2, 'queue.declare', { queue: 'second' });
  });

  test('530 when a user has as many channels as may be, on all connections', async (t) => {
    await operator?.setUserLimits(user, { 'max-channels': 2 });
    const first = await connect(t);
    await first.openChannel(1);
    const second = await connect(t);
    await second.openChannel(1);
    if (broker.isOwn) {
      // RabbitMQ takes a while until it does not count a channel any more.
      await second.call(1, 'channel.close', { replyCode: 200 });
      await second.openChannel(2);
    }
    first.sendMethod(2, 'channel.open');
    const text = broker.expected(userChannelLimit(user, 2));
    await first.expectClose(0, connectionClose(530, text));
    await operator?.setUserLimits(user, { 'max-channels': -1 });
  });

  test('user-id is the user’s own, unless the user may impersonate others', async (t) => {
    const raw = await connect(t);
    await raw.openChannel(1);
    await raw.call(1, 'confirm.select');
    const publish = { exchange: '', routingKey: 'nowhere' };
    raw.publish(1, publish, '', { userId: user });
    await raw.expectMethod('basic.ack', 1);
    raw.publish(1, publish, '', { userId: 'somebody' });
    const text = `user_id property set to 'somebody' but authenticated user was '${user}'`;
    await raw.expectClose(1, channelClose(406, text, 'basic.publish'));
    await operator?.setTags(user, ['impersonator']);
    const other = await connect(t);
    await other.openChannel(1);
    await other.call(1, 'confirm.select');
    other.publish(1, publish, '', { userId: 'somebody' });
    await other.expectMethod('basic.ack', 1);
  });
});
