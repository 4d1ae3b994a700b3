import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  decodeMethod,
  encodeMethodFrame,
  type FieldTable,
  FRAME_METHOD,
  type MethodInput,
  type MethodName,
  toFieldTable,
} from '@leveret/amqp';
import fc from 'fast-check';
import { ManualClock } from './base/manual-clock.test.support.js';
import { Broker, surroundingsOf } from './broker.js';
import { InMemory } from './core/persistence.js';
import { VirtualHost } from './core/virtual-host.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';
import type { SlabAllocator } from './store/slab.js';

/** A broker of whose virtual host and memory everything can be seen. */
function newWorld(): {
  broker: Broker;
  clock: ManualClock;
  vhost: VirtualHost;
  slabs: SlabAllocator;
} {
  const clock = new ManualClock();
  const surroundings = surroundingsOf({ clock });
  const { slabs } = surroundings;
  const vhost = new VirtualHost('/', { ...surroundings, persistence: new InMemory() });
  const vhosts = new Map([['/', vhost]]);
  const broker = new Broker({ clock }, { surroundings, vhosts, opened: undefined });
  return { broker, clock, vhost, slabs };
}

/** A channel on which everything is done in transactions. */
const TRANSACTIONAL = 2;

const QUEUES = ['q0', 'q1', 'q2'];

/** Arguments by queue: messages expire, are too many, come back too often, and die elsewhere. */
const RULES: Readonly<Record<string, FieldTable>> = {
  q0: toFieldTable({
    'x-message-ttl': 50,
    'x-dead-letter-exchange': 'amq.fanout',
    'x-consumer-timeout': 100_000,
  }),
  q1: toFieldTable({ 'x-max-length': 2, 'x-dead-letter-exchange': '' }),
  q2: toFieldTable({
    'x-max-length-bytes': 6_000,
    'x-overflow': 'reject-publish-dlx',
    'x-dead-letter-exchange': 'amq.fanout',
    'x-max-priority': 3,
    'x-delivery-limit': 1,
  }),
};

/** A client that closes channels when it is told to, and opens them anew. */
class Client {
  readonly #peer: RawPeer;
  readonly #theirs: Duplex;
  readonly #channels = new Set<number>();
  #isOver = false;

  constructor(broker: Broker) {
    const [theirs, ours] = duplexPair();
    this.#theirs = theirs;
    broker.accept(theirs);
    this.#peer = new RawPeer(ours);
  }

  async open(): Promise<void> {
    await this.#peer.handshake();
    this.#peer.onFrame = ({ type, channel, payload }) => {
      if (type !== FRAME_METHOD) return;
      const { name } = decodeMethod(payload, 0, payload.length);
      if (name === 'channel.close') this.#peer.send(channel, 'channel.close-ok', {});
      if (name === 'connection.close') this.#peer.send(0, 'connection.close-ok', {});
      if (name.startsWith('channel.close')) this.#channels.delete(channel);
      if (name.startsWith('connection.close')) this.#isOver = true;
    };
  }

  /** Sends something on a channel, and takes in what comes of it. */
  async do(channel: number, frames: Buffer): Promise<void> {
    if (this.#isOver) return;
    if (!this.#channels.has(channel)) {
      this.#peer.send(channel, 'channel.open', { outOfBand: '' });
      if (channel === TRANSACTIONAL) this.#peer.send(channel, 'tx.select', {});
      this.#channels.add(channel);
    }
    this.#peer.duplex.write(frames);
    await setImmediate();
    await setImmediate();
  }

  /** Ends the connection, with a word or without. */
  async end(politely: boolean): Promise<void> {
    if (!politely) this.#theirs.destroy();
    if (!politely || this.#isOver) return;
    const reason = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
    this.#peer.send(0, 'connection.close', reason);
    await this.#peer.closed;
  }
}

type Frames = (channel: number) => Buffer;

/** Frames that a counterexample can name. */
function named(name: string, frames: Frames): Frames {
  return Object.assign(frames, { [fc.toStringMethod]: () => name });
}

/** A method with any of these arguments. */
function method<N extends MethodName>(
  name: N,
  args: fc.Arbitrary<MethodInput<N>>,
): fc.Arbitrary<Frames> {
  return args.map((each) =>
    named(`${name} ${JSON.stringify(each)}`, (channel) => encodeMethodFrame(channel, name, each)),
  );
}

const flag = fc.boolean();
const queue = fc.constantFrom(...QUEUES);
const deliveryTag = fc.nat(6);
const requeue = flag;
const nowait = flag;
const consumerTag = fc.constantFrom('a', 'b');
const BCC = new Map([['BCC', { type: 'A', value: [{ type: 'S', value: 'q1' }] } as const]]);

const publish: fc.Arbitrary<Frames> = fc
  .record({
    exchange: fc.constantFrom('', 'amq.fanout', 'amq.fanout', 'none'),
    routingKey: fc.constantFrom(...QUEUES, 'nowhere'),
    mandatory: flag,
    properties: fc.constantFrom({}, {}, { headers: BCC }),
    body: fc.constantFrom(0, 10, 5_000, 30_000).map((bytes) => Buffer.alloc(bytes, 1)),
  })
  .map((message) =>
    named(`publish ${JSON.stringify({ ...message, body: message.body.length })}`, (channel) =>
      publishFrames({ channel, ...message }),
    ),
  );

const consume: fc.Arbitrary<Frames> = method(
  'basic.consume',
  fc.record({
    queue,
    consumerTag,
    noLocal: flag,
    noAck: flag,
    exclusive: fc.constant(false),
    nowait,
    arguments: fc.constant(new Map()),
  }),
);

/** What a client may do; some of it is a mistake that closes the channel, or the connection. */
const action: fc.Arbitrary<Frames> = fc.oneof(
  { weight: 12, arbitrary: publish },
  { weight: 5, arbitrary: consume },
  { weight: 2, arbitrary: method('basic.get', fc.record({ queue, noAck: flag })) },
  { weight: 2, arbitrary: method('basic.ack', fc.record({ deliveryTag, multiple: flag })) },
  method('basic.nack', fc.record({ deliveryTag, multiple: flag, requeue })),
  method('basic.reject', fc.record({ deliveryTag, requeue })),
  method('basic.recover', fc.constant({ requeue: true })),
  method('basic.cancel', fc.record({ consumerTag, nowait })),
  method(
    'basic.qos',
    fc.record({ prefetchSize: fc.constant(0), prefetchCount: fc.nat(3), global: flag }),
  ),
  method('queue.purge', fc.record({ queue, nowait })),
  method('queue.delete', fc.record({ queue, ifUnused: flag, ifEmpty: flag, nowait })),
  method('tx.select', fc.constant({})),
  { weight: 3, arbitrary: method('tx.commit', fc.constant({})) },
  { weight: 2, arbitrary: method('tx.rollback', fc.constant({})) },
  method('confirm.select', fc.record({ nowait })),
  method('channel.close', fc.constant({ replyCode: 200, replyText: '', classId: 0, methodId: 0 })),
);

test('with all closed and purged no memory is held and no timer set, whatever was done before', async () => {
  const step = fc.record({ client: fc.nat(1), channel: fc.integer({ min: 1, max: 2 }), action });
  const steps = fc.array(step, { maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(steps, flag, flag, async (actions, politely, withRules) => {
      const { broker, clock, vhost, slabs } = newWorld();
      for (const name of QUEUES) {
        const flags = { durable: false, exclusive: false, autoDelete: false };
        const args = (withRules && RULES[name]) || new Map();
        const declared = vhost.queues.declare({ name, ...flags, arguments: args }, {});
        vhost.exchanges.bind(vhost.exchanges.require('amq.fanout'), declared, '', new Map());
      }
      const clients = [new Client(broker), new Client(broker)];
      for (const client of clients) await client.open();
      for (const each of actions) {
        await clients[each.client]!.do(each.channel, each.action(each.channel));
        clock.advance(20);
      }
      for (const client of clients) await client.end(politely);
      await broker.close();
      // Whatever was delivered has come back, so all there is is ready.
      for (const each of vhost.queues.all()) each.purge();
      assert.equal(slabs.liveBytes, 0);
      assert.equal(slabs.heldBytes, 0);
      // What was to expire is passed over when its time comes; what is left is for nothing at all.
      clock.advance(400);
      assert.equal(clock.timers, 0);
    }),
    { numRuns: 100 },
  );
});
