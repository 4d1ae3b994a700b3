import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PolicyRequest } from '@leveret/broker';
import { RawConnection } from '../wire/raw-connection.js';
import { type BrokerControl, controlledBroker } from './controlled-broker.js';
import { unknownPolicyTarget } from './differences.js';

const { broker, control } = await controlledBroker();
const options = { skip: control ? false : 'RABBITMQCTL is not set' };

/** How long a broker may take to apply what was set; RabbitMQ does it behind the command's back. */
const DEADLINE_MILLISECONDS = 15_000;

function operator(): BrokerControl {
  assert.ok(control !== undefined);
  return control;
}

/** Sets a policy for one name, which is cleared after the test. */
async function policy(
  t: TestContext,
  on: string,
  definition: PolicyRequest['definition'],
  rest: Partial<PolicyRequest> = {},
): Promise<string> {
  const name = rest.name ?? `p-${on}`;
  await operator().setPolicy({ name, pattern: `^${on}$`, definition, ...rest });
  t.after(() =>
    operator()
      .clearPolicy(name)
      .catch(() => {}),
  );
  return name;
}

/** Tries until it holds. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUp = Date.now() + DEADLINE_MILLISECONDS;
  while (!(await holds())) {
    assert.ok(Date.now() < giveUp, what);
    await delay(20);
  }
}

/** Publishes so many messages to a queue, and says what it then holds. */
async function filled(raw: RawConnection, queue: string, count: number): Promise<string[]> {
  for (let i = 0; i < count; i++) raw.publish(1, { exchange: '', routingKey: queue }, String(i));
  return raw.drain(1, queue);
}

async function queueOf(raw: RawConnection, args: Record<string, unknown> = {}): Promise<string> {
  const queue = broker.queueName();
  await raw.call(1, 'queue.declare', { queue, arguments: args });
  return queue;
}

describe('a policy', options, () => {
  test('governs a queue that is there, as it comes, changes and goes', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = await queueOf(raw);
    const name = await policy(t, queue, { 'max-length': 2 });
    const holds = (expected: string): Promise<void> =>
      eventually(`the queue keeps ${expected}`, async () => {
        return (await filled(raw, queue, 4)).join() === expected;
      });
    await holds('2,3');
    await policy(t, queue, { 'max-length': 3 });
    await holds('1,2,3');
    await operator().clearPolicy(name);
    await holds('0,1,2,3');
  });

  test('governs a queue that is declared later', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await policy(t, queue, { 'max-length': 1 });
    await raw.call(1, 'queue.declare', { queue });
    assert.deepEqual(await filled(raw, queue, 3), ['2']);
  });

  test('of higher priority governs alone', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await policy(t, queue, { 'max-length': 1 }, { name: `${queue}-low` });
    await policy(t, queue, { 'message-ttl': 600_000 }, { name: `${queue}-high`, priority: 1 });
    await raw.call(1, 'queue.declare', { queue });
    assert.deepEqual(await filled(raw, queue, 3), ['0', '1', '2']);
  });

  test('and an argument: the smaller limit holds', async (t) => {
    const raw = await broker.rawChannel(t);
    for (const [argument, setting] of [
      [2, 5],
      [5, 2],
    ] as const) {
      const queue = broker.queueName();
      await policy(t, queue, { 'max-length': setting });
      const args = { 'x-max-length': argument };
      await raw.call(1, 'queue.declare', { queue, arguments: args });
      assert.deepEqual(await filled(raw, queue, 4), ['2', '3']);
    }
  });

  test('and an argument: the argument names the dead letter exchange', async (t) => {
    const raw = await broker.rawChannel(t);
    const mine = await queueOf(raw);
    const theirs = await queueOf(raw);
    const queue = broker.queueName();
    const other = broker.queueName();
    const dead = { 'dead-letter-exchange': '', 'dead-letter-routing-key': theirs, 'max-length': 1 };
    await policy(t, queue, dead);
    await policy(t, other, dead);
    const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': mine };
    await raw.call(1, 'queue.declare', { queue, arguments: args });
    await raw.call(1, 'queue.declare', { queue: other });
    for (const routingKey of [queue, other]) {
      raw.publish(1, { exchange: '', routingKey }, `first of ${routingKey}`);
      raw.publish(1, { exchange: '', routingKey }, 'second');
    }
    await raw.untilReady(1, mine, 1);
    await raw.untilReady(1, theirs, 1);
    assert.deepEqual(await raw.drain(1, mine), [`first of ${queue}`]);
    assert.deepEqual(await raw.drain(1, theirs), [`first of ${other}`]);
  });

  test('gives a time to live to messages that come, and not to those that are there', async (t) => {
    const raw = await broker.rawChannel(t);
    const [queue, other] = [await queueOf(raw), await queueOf(raw)];
    raw.publish(1, { exchange: '', routingKey: queue }, 'early');
    await raw.untilReady(1, queue, 1);
    await policy(t, `(${queue}|${other})`, { 'message-ttl': 1 });
    await eventually('messages expire', async () => {
      raw.publish(1, { exchange: '', routingKey: other }, 'late');
      await delay(20);
      return (await raw.get(1, other)) === undefined;
    });
    assert.deepEqual(await raw.drain(1, queue), ['early']);
  });

  test('makes a queue expire', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = await queueOf(raw);
    await policy(t, queue, { expires: 1 });
    await eventually('the queue expires', async () => {
      const asking = await RawConnection.handshake(broker.port);
      await asking.openChannel(1);
      asking.sendMethod(1, 'queue.declare', { queue, passive: true });
      const { name } = await asking.nextMethod();
      asking.destroy();
      return name === 'channel.close';
    });
  });

  test('gives exchanges an alternate, unless they have one of their own', async (t) => {
    const raw = await broker.rawChannel(t);
    const [one, two] = [broker.exchangeName(), broker.exchangeName()];
    const queues: string[] = [];
    for (const exchange of [one, two]) {
      await raw.call(1, 'exchange.declare', { exchange, type: 'fanout' });
      const queue = await queueOf(raw);
      await raw.call(1, 'queue.bind', { queue, exchange });
      queues.push(queue);
    }
    const plain = broker.exchangeName();
    const own = broker.exchangeName();
    await raw.call(1, 'exchange.declare', { exchange: plain });
    const args = { 'alternate-exchange': two };
    await raw.call(1, 'exchange.declare', { exchange: own, arguments: args });
    const definition = { 'alternate-exchange': one };
    const name = await policy(t, `(${plain}|${own})`, definition, { applyTo: 'exchanges' });
    await eventually('the policy is applied', async () => {
      raw.publish(1, { exchange: plain, routingKey: 'k' }, 'by policy');
      return (await raw.get(1, queues[0]!)) !== undefined;
    });
    raw.publish(1, { exchange: own, routingKey: 'k' }, 'by argument');
    assert.deepEqual(await raw.drain(1, queues[0]!), []);
    assert.deepEqual(await raw.drain(1, queues[1]!), ['by argument']);
    await operator().clearPolicy(name);
    await eventually('the policy is gone', async () => {
      raw.publish(1, { exchange: plain, routingKey: 'k' }, 'after');
      return (await raw.get(1, queues[0]!)) === undefined;
    });
  });

  test('applies to what it says', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    await policy(t, queue, { 'max-length': 1 }, { applyTo: 'exchanges' });
    await raw.call(1, 'queue.declare', { queue });
    assert.deepEqual(await filled(raw, queue, 2), ['0', '1']);
  });
});

describe('an operator policy', options, () => {
  test('limits what policies and arguments ask for', async (t) => {
    const raw = await broker.rawChannel(t);
    const queue = broker.queueName();
    const name = `o-${queue}`;
    await policy(t, queue, { 'max-length': 3 });
    const definition = { 'max-length': 2 };
    await operator().setOperatorPolicy({ name, pattern: `^${queue}$`, definition });
    t.after(() =>
      operator()
        .clearOperatorPolicy(name)
        .catch(() => {}),
    );
    await raw.call(1, 'queue.declare', { queue, arguments: { 'x-max-length': 5 } });
    assert.deepEqual(await filled(raw, queue, 6), ['4', '5']);
    await operator().clearOperatorPolicy(name);
    await eventually('the limit is gone', async () => {
      return (await filled(raw, queue, 6)).join() === '3,4,5';
    });
  });

  test('may not say where messages go', async () => {
    const definition = { 'dead-letter-exchange': 'x' };
    const text = 'are not recognised policy settings';
    const request = { name: 'refused', pattern: '', definition };
    await refuses(
      operator().setOperatorPolicy(request),
      `[{<<"dead-letter-exchange">>,<<"x">>}] ${text}`,
    );
  });
});

/** That setting a policy is refused, and why; `rabbitmqctl` puts a heading before it. */
async function refuses(setting: Promise<void>, text: string): Promise<void> {
  await assert.rejects(setting, (error) => {
    assert.ok(error instanceof Error);
    assert.equal(error.message.replace(/^Validation failed\s*/, '').replaceAll(/\n\s*/g, ''), text);
    return true;
  });
}

test('a policy that cannot be is refused, and why', options, async () => {
  const invalid = 'pattern should be regular expression but is invalid: ';
  const cases: [Partial<Record<keyof PolicyRequest, unknown>>, string][] = [
    [{ definition: {} }, 'no policy provided'],
    [
      { definition: { foo: 1, bar: 'x' } },
      '[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings',
    ],
    [{ definition: { 'message-ttl': -1 } }, '-1 is not a valid message TTL'],
    [{ definition: { 'message-ttl': 'abc' } }, '<<"abc">> is not a valid message TTL'],
    [{ definition: { 'message-ttl': 1.5 } }, '1.5 is not a valid message TTL'],
    [{ definition: { 'message-ttl': null } }, 'null is not a valid message TTL'],
    [
      { definition: { 'message-ttl': { a: [1, true] } } },
      '#{<<"a">> => [1,true]} is not a valid message TTL',
    ],
    [{ definition: { 'max-length': -1, expires: 0 } }, '0 is not a valid queue expiry'],
    [{ definition: { overflow: 'x' } }, '<<"x">> is not a valid overflow value'],
    [{ definition: { 'alternate-exchange': 5 } }, '5 is not a valid alternate exchange name'],
    [{ definition: { 'queue-mode': 'zzz' } }, '<<"zzz">> is not a valid queue-mode value'],
    [{ pattern: '(' }, `${invalid}{"missing )",1}`],
    [{ pattern: '[' }, `${invalid}{"missing terminating ] for character class",1}`],
    [{ pattern: '*a' }, `${invalid}{"nothing to repeat",0}`],
    [{ pattern: 'a\\' }, `${invalid}{"\\\\ at end of pattern",2}`],
    [{ pattern: 'a{2,1}' }, `${invalid}{"numbers out of order in {} quantifier",5}`],
    [{ pattern: '[z-a]' }, `${invalid}{"range out of order in character class",3}`],
    [{ pattern: ')' }, `${invalid}{"unmatched parentheses",0}`],
    [{ applyTo: 'zzz' }, broker.expected(unknownPolicyTarget)],
  ];
  for (const [parts, text] of cases) {
    const request = { name: 'refused', pattern: '^nothing$', definition: { expires: 1 }, ...parts };
    // Mistakes that types would have told of.
    await refuses(operator().setPolicy(request as PolicyRequest), text);
  }
});
