import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deathsOf, headersOf, wayOf } from '../wire/deaths.js';
import type { WireArguments } from '../wire/wire-codec.js';
import { RestartedBroker } from './restarted-broker.js';
import type { Received } from './traffic/stream-client.js';

const TO_DEAD = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'dead' };

/** A broker with a queue under test, and one for the dead. */
async function started(args: WireArguments): Promise<RestartedBroker> {
  const broker = await RestartedBroker.start();
  await broker.declare('dead');
  await broker.declare('q', { ...TO_DEAD, ...args });
  return broker;
}

async function publishAll(broker: RestartedBroker, ...bodies: readonly string[]): Promise<void> {
  for (const body of bodies) await broker.publish('q', body);
}

/** Gives a queue's first message back so many times. */
async function giveBack(broker: RestartedBroker, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await broker.reject((await broker.get('q'))!, true);
}

function countOf(message: Received | undefined): unknown {
  return message && headersOf(message)['x-delivery-count'];
}

for (const how of ['power loss', 'stop'] as const) {
  describe(`after a ${how}`, () => {
    test('a message expires when it would have, counting the time the broker was down', async () => {
      const broker = await started({ 'x-message-ttl': 60_000 });
      const begin = Math.floor(broker.clock.wallTime() / 1000);
      await publishAll(broker, 'by the queue');
      await broker.publish('q', 'by itself', { expiration: '30000' });
      await broker.restart(how, 20_000);
      assert.equal(await broker.get('dead'), undefined);
      broker.clock.advance(11_000);
      const first = await broker.takeOne('dead');
      assert.equal(first.body.toString(), 'by itself');
      assert.deepEqual(wayOf(first), ['q expired 1']);
      assert.equal(deathsOf(first)[0]?.['original-expiration'], '30000');
      await broker.restart(how, 3_600_000);
      const second = await broker.takeOne('dead');
      assert.equal(second.body.toString(), 'by the queue');
      assert.ok(deathsOf(second)[0]!.time >= begin + 3_600);
      assert.deepEqual(await broker.drain('q'), []);
      await broker.settled();
      assert.deepEqual(broker.world.log, []);
    });

    test('what died before has its deaths in its headers, and they go on', async () => {
      const broker = await started({});
      await broker.declare('dead', {});
      await publishAll(broker, 'mortal');
      await broker.reject((await broker.get('q'))!, false);
      await broker.restart(how);
      const dead = (await broker.get('dead', true))!;
      assert.deepEqual(wayOf(dead), ['q rejected 1']);
      assert.equal(dead.method.args.exchange, '');
      await broker.publish('q', 'mortal', { headers: headersOf(dead) as WireArguments });
      await broker.restart(how);
      await broker.reject((await broker.get('q'))!, false);
      await broker.restart(how);
      assert.deepEqual(wayOf((await broker.get('dead'))!), ['q rejected 2']);
    });

    for (const [what, args, policy] of [
      ['x-delivery-limit', { 'x-delivery-limit': 2 }, undefined],
      ['a policy', {}, { 'delivery-limit': 2 }],
      ['x-delivery-limit of a quorum queue', quorum({ 'x-delivery-limit': 2 }), undefined],
    ] as const) {
      test(`a message has come back as often as before, and ${what} holds`, async () => {
        const broker = await started(args);
        if (policy !== undefined) await setPolicy(broker, policy);
        await publishAll(broker, 'poison', 'other');
        await giveBack(broker, 2);
        await broker.restart(how);
        const third = (await broker.get('q'))!;
        assert.deepEqual([third.body.toString(), countOf(third)], ['poison', 2]);
        await broker.reject(third, true);
        await broker.restart(how);
        const dead = (await broker.get('dead'))!;
        assert.deepEqual(wayOf(dead), ['q delivery_limit 1']);
        assert.equal(countOf(await broker.get('q')), undefined);
      });
    }

    test('x-max-length: what was taken comes back, and makes the oldest too many', async () => {
      const broker = await started({ 'x-max-length': 2, 'x-dead-letter-exchange': 'dlx' });
      await broker.call('exchange.declare', { exchange: 'dlx', type: 'fanout', durable: true });
      await broker.call('queue.bind', { queue: 'dead', exchange: 'dlx', routingKey: '' });
      await publishAll(broker, '0', '1');
      for (let i = 0; i < 2; i++) await broker.get('q');
      await publishAll(broker, '2', '3');
      await broker.restart(how);
      assert.deepEqual(await broker.drain('q'), ['2', '3']);
      assert.deepEqual(await broker.drain('dead'), ['0', '1']);
    });

    test('x-max-length-bytes counts what has been there', async () => {
      const broker = await started({ 'x-max-length-bytes': 1_000 });
      const bodies = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(100));
      // Its messages are spread over several files, some of which have an index.
      await broker.declare('elsewhere');
      for (const body of bodies) {
        await broker.publish('q', body);
        await broker.publish('elsewhere', 'x'.repeat(500));
      }
      await broker.restart(how);
      await broker.publish('q', 'y'.repeat(150));
      assert.deepEqual(await broker.drain('dead'), bodies.slice(0, 2));
      assert.equal((await broker.drain('q')).length, 9);
    });

    test('x-max-length-bytes by a policy, of what is on the disk alone', async () => {
      const broker = await started({ 'x-overflow': 'reject-publish-dlx' });
      await publishAll(broker, ...Array.from({ length: 8 }, (_, i) => `${i}`.repeat(100)));
      await broker.restart(how);
      await setPolicy(broker, { 'max-length-bytes': 900 });
      await publishAll(broker, 'a'.repeat(100));
      await broker.restart(how);
      assert.equal(await broker.publish('q', 'b'), false);
      assert.deepEqual(await broker.drain('dead'), ['b']);
      assert.equal((await broker.drain('q')).length, 9);
    });

    test('policies hold, and one that is gone leaves messages alone', async () => {
      const broker = await started({});
      await setPolicy(broker, { 'max-length': 1 });
      broker.world.control.policies.delete('p');
      await publishAll(broker, '0', '1', '2');
      await broker.restart(how);
      await setPolicy(broker, { 'max-length': 2 });
      await broker.restart(how);
      await publishAll(broker, '3');
      assert.deepEqual(await broker.drain('q'), ['2', '3']);
      assert.deepEqual(await broker.drain('dead'), ['0', '1']);
    });

    test('priorities, and one consumer at a time', async () => {
      const broker = await started({ 'x-max-priority': 5, 'x-single-active-consumer': true });
      for (const priority of [1, 5, 3]) await broker.publish('q', `${priority}`, { priority });
      await broker.restart(how);
      const seen: string[] = [];
      for (const name of ['active', 'waiting']) {
        const onDelivery = ({ body }: Received): void => void seen.push(`${name} ${body}`);
        const client = await broker.world.connect({ onDelivery });
        await broker.world.wait(client.call('basic.consume', { queue: 'q', noAck: true }));
      }
      await broker.publish('q', '0');
      await broker.settled();
      assert.deepEqual(seen, ['active 5', 'active 3', 'active 1', 'active 0']);
    });

    test('a dead letter goes by the keys in CC and BCC', async () => {
      const broker = await started({});
      await broker.declare('source', { 'x-dead-letter-exchange': '' });
      for (const queue of ['copy', 'blind']) await broker.declare(queue);
      const headers = { CC: ['copy'], BCC: ['blind'] };
      await broker.publish('source', 'known to three', { headers });
      for (const queue of ['copy', 'blind']) {
        assert.deepEqual(await broker.drain(queue), ['known to three']);
      }
      await broker.restart(how);
      await broker.reject((await broker.get('source'))!, false);
      for (const queue of ['copy', 'blind']) {
        const letter = (await broker.get(queue))!;
        assert.deepEqual(deathsOf(letter)[0]?.['routing-keys'], ['source', 'copy']);
        assert.equal(headersOf(letter).BCC, undefined);
      }
    });

    test('at-least-once: a dead letter that nobody could take yet is not lost', async () => {
      const broker = await started({
        ...{ 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' },
        'x-dead-letter-routing-key': 'later',
      });
      await publishAll(broker, 'patient');
      await broker.reject((await broker.get('q'))!, false);
      await broker.restart(how);
      await broker.declare('later');
      const message = await broker.get('q');
      // What was rejected, but not gone, is there again after a restart.
      if (message !== undefined) await broker.reject(message, false);
      broker.clock.advance(2_000);
      await broker.settled();
      assert.deepEqual(await broker.drain('later'), ['patient']);
      assert.deepEqual(await broker.drain('q'), []);
    });

    test('x-expires: a queue stays as long as it may, from the start on', async () => {
      const broker = await started({ 'x-expires': 60_000 });
      await publishAll(broker, 'kept');
      await broker.restart(how, 3_600_000);
      broker.clock.advance(50_000);
      assert.deepEqual(await broker.drain('q'), ['kept']);
      await broker.restart(how);
      broker.clock.advance(61_000);
      await assert.rejects(
        broker.call('queue.declare', { queue: 'q', passive: true }),
        /NOT_FOUND/,
      );
    });
  });
}

function quorum(args: WireArguments): WireArguments {
  return { ...args, 'x-queue-type': 'quorum' };
}

async function setPolicy(
  broker: RestartedBroker,
  definition: Readonly<Record<string, unknown>>,
): Promise<void> {
  broker.world.control.policies.set({ name: 'p', pattern: '^q$', definition });
  await broker.settled();
}
