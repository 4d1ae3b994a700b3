import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
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
import type { Broker } from './broker.js';
import { publishFrames, RawPeer } from './protocols/amqp091/raw-peer.test.support.js';

/** A channel on which everything is done in transactions. */
const TRANSACTIONAL = 2;

export const QUEUES: readonly string[] = ['q0', 'q1', 'q2'];

/** Arguments by queue: messages expire, are too many, come back too often, and die elsewhere. */
export const RULES: Readonly<Record<string, FieldTable>> = {
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
export class Client {
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

  /** Ends the connection, with a word or without, and sees the broker let go of it. */
  async end(politely: boolean): Promise<void> {
    if (this.#theirs.closed) return;
    const closed = once(this.#theirs, 'close');
    if (!politely) this.#theirs.destroy();
    if (!politely || this.#isOver) {
      await closed;
      return;
    }
    const reason = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
    this.#peer.send(0, 'connection.close', reason);
    await closed;
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
    properties: fc.constantFrom({}, { deliveryMode: 2 }, { deliveryMode: 2, headers: BCC }),
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
export const action: fc.Arbitrary<Frames> = fc.oneof(
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
