import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { deathsOf, headersOf, wayOf } from '../../wire/deaths.js';
import type { RawConnection } from '../../wire/raw-connection.js';
import type { WireArguments } from '../../wire/wire-codec.js';
import { brokerUnderTest } from '../broker-under-test.js';
import { sendConfirmed, takeOne } from './messages.js';
import { declareTopology, deleteTopologyAfterwards, type Topology } from './topology.js';

/**
 * What Spring AMQP and the RabbitMQ binder of Spring Cloud Stream declare and do: a dead-letter
 * queue for each group of consumers, retries by its time to live, and a parking lot.
 */

const broker = await brokerUnderTest();

/** Names of one test: a destination, a group that consumes it, and its dead-letter queue. */
interface Names {
  readonly destination: string;
  readonly queue: string;
  readonly deadLetters: string;
  /** The dead-letter exchange, which is `DLX` behind the binder's prefix. */
  readonly exchange: string;
}

function names(): Names {
  const run = randomBytes(4).toString('hex');
  const queue = `orders-${run}.shipping`;
  const exchange = `${run}.DLX`;
  return { destination: `orders-${run}`, queue, deadLetters: `${queue}.dlq`, exchange };
}

/** What the binder declares with `autoBindDlq`, and what else the two queues are to have. */
function binding(
  { destination, queue, deadLetters, exchange }: Names,
  queueArguments: WireArguments,
  deadLetterArguments: WireArguments,
): Topology {
  const toDeadLetters = {
    'x-dead-letter-exchange': exchange,
    'x-dead-letter-routing-key': queue,
  };
  return {
    exchanges: [
      { exchange: destination, type: 'topic', durable: true },
      { exchange, type: 'direct', durable: true },
    ],
    queues: [
      { queue, durable: true, arguments: { ...toDeadLetters, ...queueArguments } },
      { queue: deadLetters, durable: true, arguments: deadLetterArguments },
    ],
    bindings: [
      { queue, exchange: destination, routingKey: '#' },
      { queue: deadLetters, exchange, routingKey: queue },
    ],
  };
}

/** A connection whose channel 2 confirms, with a topology of this test's own. */
async function declared(t: TestContext, topology: Topology): Promise<RawConnection> {
  deleteTopologyAfterwards(broker, topology);
  const raw = await broker.rawChannel(t);
  await raw.openChannel(2);
  await raw.call(2, 'confirm.select');
  await declareTopology(raw, topology);
  return raw;
}

/** Takes a queue's next message and fails: it is not to be queued again. Returns its way so far. */
async function reject(raw: RawConnection, queue: string): Promise<string[]> {
  const message = await takeOne(raw, queue, false);
  const deliveryTag = message.args.deliveryTag as number; // as the wire has it
  raw.sendMethod(1, 'basic.reject', { deliveryTag, requeue: false });
  return wayOf(message);
}

describe('Spring', { concurrency: true }, () => {
  for (const [what, args] of [
    ['classic', {}],
    ['quorum', { 'x-queue-type': 'quorum', 'x-delivery-limit': 10 }],
  ] as const) {
    test(`retries by way of the dead-letter queue, of ${what} queues`, async (t) => {
      const { destination, queue, deadLetters, exchange } = names();
      const backOff = {
        'x-message-ttl': 100,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': queue,
      };
      const topology = binding(
        { destination, queue, deadLetters, exchange },
        args,
        // At once to the default exchange, from there to the queue itself.
        { ...backOff, ...(what === 'quorum' ? { 'x-queue-type': 'quorum' } : {}) },
      );
      const parkingLot = `${queue}.parkingLot`;
      const raw = await declared(t, {
        ...topology,
        queues: [...topology.queues!, { queue: parkingLot, durable: true }],
      });
      const publish = { exchange: destination, routingKey: 'orders.new' };
      await sendConfirmed(raw, publish, 'order', { headers: { 'content-type': 'text/plain' } });

      for (let retry = 0; retry < 3; retry++) {
        const both = [`${deadLetters} expired ${retry}`, `${queue} rejected ${retry}`];
        assert.deepEqual(await reject(raw, queue), retry === 0 ? [] : both);
      }
      // The header says that there have been three: enough.
      const message = await takeOne(raw, queue);
      const [expired, rejected] = deathsOf(message);
      assert.deepEqual([expired?.count, rejected?.count], [3, 3]);
      assert.deepEqual([rejected?.exchange, expired?.exchange], [destination, exchange]);
      assert.deepEqual(rejected?.['routing-keys'], ['orders.new']);
      assert.deepEqual(expired?.['routing-keys'], [queue]);
      const headers = { ...headersOf(message), 'x-original-routingKey': queue } as WireArguments;
      await sendConfirmed(raw, { routingKey: parkingLot }, 'order', { headers });
      const parked = await takeOne(raw, parkingLot);
      assert.deepEqual(wayOf(parked), [`${deadLetters} expired 3`, `${queue} rejected 3`]);
      await raw.untilReady(1, deadLetters, 0);
    });
  }

  test('a message that comes back too often, of a quorum queue with a limit', async (t) => {
    const { destination, queue, deadLetters, exchange } = names();
    const raw = await declared(
      t,
      binding(
        { destination, queue, deadLetters, exchange },
        { 'x-queue-type': 'quorum', 'x-delivery-limit': 2 },
        { 'x-queue-mode': 'lazy' },
      ),
    );
    await sendConfirmed(raw, { exchange: destination, routingKey: 'orders.new' }, 'poison');
    for (let delivery = 0; delivery < 3; delivery++) {
      const message = await takeOne(raw, queue, false);
      const deliveryTag = message.args.deliveryTag as number; // as the wire has it
      raw.sendMethod(1, 'basic.nack', { deliveryTag, requeue: true });
    }
    const dead = await takeOne(raw, deadLetters);
    assert.deepEqual(wayOf(dead), [`${queue} delivery_limit 1`]);
    assert.equal(dead.args.routingKey, queue);
  });

  test('a queue that is full sends the oldest to the dead-letter queue', async (t) => {
    const { destination, queue, deadLetters, exchange } = names();
    const raw = await declared(
      t,
      binding(
        { destination, queue, deadLetters, exchange },
        { 'x-max-length': 2, 'x-overflow': 'drop-head', 'x-max-priority': 10 },
        { 'x-max-length': 10, 'x-single-active-consumer': true },
      ),
    );
    for (const body of ['1', '2', '3']) {
      await sendConfirmed(raw, { exchange: destination, routingKey: 'orders.new' }, body);
    }
    assert.deepEqual(wayOf(await takeOne(raw, deadLetters)), [`${queue} maxlen 1`]);
    assert.deepEqual(await raw.drain(1, queue), ['2', '3']);
  });

  test('a failed message is published again, with the exception in its headers', async (t) => {
    const { destination, queue, deadLetters, exchange } = names();
    const raw = await declared(t, binding({ destination, queue, deadLetters, exchange }, {}, {}));
    const publish = { exchange: destination, routingKey: 'orders.new' };
    await sendConfirmed(raw, publish, 'order', { contentType: 'text/plain' });
    const failed = await takeOne(raw, queue, false);
    const stackTrace = 'java.lang.IllegalStateException: no carrots\n\tat '.repeat(1_000);
    const headers = {
      'x-exception-stacktrace': stackTrace,
      'x-exception-message': 'no carrots',
      'x-original-exchange': failed.args.exchange as string,
      'x-original-routingKey': failed.args.routingKey as string,
    };
    await sendConfirmed(raw, { exchange, routingKey: queue }, failed.body, { headers });
    raw.sendMethod(1, 'basic.ack', { deliveryTag: failed.args.deliveryTag as number });
    const republished = await takeOne(raw, deadLetters);
    assert.deepEqual(headersOf(republished), {
      ...headers,
      'x-original-exchange': destination,
      'x-original-routingKey': 'orders.new',
    });
    assert.equal(republished.body.toString(), 'order');
  });

  test('an anonymous group goes with its connection', async (t) => {
    const { destination } = names();
    const raw = await declared(t, {
      exchanges: [{ exchange: destination, type: 'topic', durable: true }],
    });
    const queue = `${destination}.anonymous.${randomBytes(8).toString('base64url')}`;
    const exclusive = { durable: false, exclusive: true, autoDelete: true };
    const mine = await broker.rawChannel(t);
    const locator = { 'x-queue-master-locator': 'client-local' };
    await mine.call(1, 'queue.declare', { queue, ...exclusive, arguments: locator });
    await mine.call(1, 'queue.bind', { queue, exchange: destination, routingKey: '#' });
    await sendConfirmed(raw, { exchange: destination, routingKey: 'orders.new' }, 'for all');
    assert.equal((await takeOne(mine, queue)).body.toString(), 'for all');
    await mine.close();
    raw.publish(2, { exchange: destination, mandatory: true, routingKey: 'orders.new' }, 'none');
    await raw.expectContent('basic.return', 2);
    await raw.expectMethod('basic.ack', 2);
  });
});
