import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { channelClose, type RawConnection } from '../wire/raw-connection.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

async function queues(
  t: TestContext,
  count: number,
): Promise<{ raw: RawConnection; names: string[] }> {
  const raw = await broker.rawChannel(t);
  const names = Array.from({ length: count }, () => broker.queueName());
  for (const queue of names) await raw.call(1, 'queue.declare', { queue });
  return { raw, names };
}

describe('sender-selected distribution', { concurrency: true }, () => {
  test('CC and BCC add routing keys; BCC is taken out, CC stays', async (t) => {
    const { raw, names } = await queues(t, 4);
    const [to, cc, bcc, bystander] = names as [string, string, string, string];
    const headers = { CC: [cc, 'nowhere'], BCC: [bcc], other: 'kept' };
    raw.publish(1, { routingKey: to }, 'message', { headers });
    for (const queue of [to, cc, bcc]) {
      const message = await raw.get(1, queue);
      assert.equal(message?.body.toString(), 'message');
      assert.equal(message.args.routingKey, to);
      assert.deepEqual(message.properties.headers, { CC: [cc, 'nowhere'], other: 'kept' });
    }
    assert.equal(await raw.get(1, bystander), undefined);
  });

  test('one copy a queue, however often it is named', async (t) => {
    const { raw, names } = await queues(t, 1);
    const [to] = names as [string];
    raw.publish(1, { routingKey: to }, 'once', { headers: { CC: [to, to], BCC: [to] } });
    assert.deepEqual(await raw.drain(1, to), ['once']);
  });

  test('a mandatory message that only CC routes is not returned', async (t) => {
    const { raw, names } = await queues(t, 1);
    const [cc] = names as [string];
    raw.publish(1, { routingKey: 'nowhere', mandatory: true }, 'kept', { headers: { CC: [cc] } });
    await raw.expectNothing(1);
    assert.deepEqual(await raw.drain(1, cc), ['kept']);
  });

  test('they are matched by the rules of the exchange', async (t) => {
    const { raw, names } = await queues(t, 1);
    const [queue] = names as [string];
    const exchange = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange, type: 'topic' });
    await raw.call(1, 'queue.bind', { queue, exchange, routingKey: 'copy.#' });
    raw.publish(1, { exchange, routingKey: 'original' }, 'one', { headers: { CC: ['copy.a'] } });
    raw.publish(1, { exchange, routingKey: 'original' }, 'two', { headers: { BCC: ['copy'] } });
    raw.publish(1, { exchange, routingKey: 'original' }, 'three', { headers: { CC: ['other'] } });
    assert.deepEqual(await raw.drain(1, queue), ['one', 'two']);
  });

  test('an empty array adds nothing', async (t) => {
    const { raw, names } = await queues(t, 1);
    const [to] = names as [string];
    raw.publish(1, { routingKey: to }, 'once', { headers: { CC: [], BCC: [] } });
    assert.deepEqual((await raw.get(1, to))?.properties.headers, { CC: [] });
  });

  for (const [header, value, type] of [
    ['CC', 'a string', 'longstr'],
    ['BCC', 'a string', 'longstr'],
    ['CC', { '!': 'int', value: 7 }, 'signedint'],
    ['CC', { a: 'table' }, 'table'],
    ['BCC', true, 'bool'],
  ] as const) {
    test(`${header} of type ${type} is 406`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.publish(1, { routingKey: 'nowhere' }, 'refused', { headers: { [header]: value } });
      await raw.expectClose(
        1,
        channelClose(
          406,
          `invalid message: {unacceptable_type_in_header,"${header}",${type}}`,
          'basic.publish',
        ),
      );
    });
  }

  test('an entry that is no string is passed over', async (t) => {
    const { raw, names } = await queues(t, 1);
    const [cc] = names as [string];
    raw.publish(1, { routingKey: 'nowhere' }, 'here', { headers: { CC: [7, cc, null] } });
    assert.deepEqual(await raw.drain(1, cc), ['here']);
  });
});
