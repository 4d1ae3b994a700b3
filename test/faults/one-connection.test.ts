import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import {
  type Authorizer,
  type Logger,
  type RunningBroker,
  type StartOptions,
  startBroker,
} from '@leveret/broker';
import { BrokerUnderTest } from '../conformance/broker-under-test.js';
import { encodeFrame, frameType, protocolHeader } from '../wire/frame.js';
import { connectionClose } from '../wire/raw-connection.js';
import { decodeMethod, encodeMethod } from '../wire/wire-codec.js';

/** What is thrown where nothing should be: it is no refusal, and stands for a bug of ours. */
class Fault extends Error {}

interface World {
  readonly running: RunningBroker;
  readonly broker: BrokerUnderTest;
  /** What was logged as an error, with its fields. */
  readonly errors: { readonly text: string; readonly fields: Record<string, unknown> }[];
  /** A connection that has nothing to do with it: does a message's round trip, and goes on. */
  readonly bystander: () => Promise<void>;
}

async function world(t: TestContext, options: StartOptions = {}): Promise<World> {
  const errors: World['errors'] = [];
  const ignore = (): void => {};
  const logger: Logger = {
    ...{ trace: ignore, debug: ignore, info: ignore, warn: ignore },
    error: (text, fields = {}) => void errors.push({ text, fields }),
  };
  const running = await startBroker({ port: 0, logger, ...options });
  t.after(() => running.close());
  const broker = new BrokerUnderTest(running.url, false, true);
  const other = await broker.amqplib(t);
  const channel = await other.createConfirmChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const bystander = async (): Promise<void> => {
    channel.sendToQueue(queue, Buffer.from('round'));
    await channel.waitForConfirms();
    const got = await channel.get(queue, { noAck: true });
    assert.ok(got !== false && got.content.toString() === 'round');
  };
  await bystander();
  return { running, broker, errors, bystander };
}

/** Permits everything, but for one queue. */
const faulty: Authorizer = {
  access: () => ({
    version: 0,
    mayImpersonate: false,
    check: (_permission, _kind, name) => {
      if (name === 'fault') throw new Fault('asked for');
    },
    governsTopics: () => false,
    checkTopic: () => {},
  }),
};

describe('a fault on one connection', () => {
  test('while it is read from ends it with 541, and is logged with where it was', async (t) => {
    const { broker, errors, bystander } = await world(t, { authorizer: faulty });
    const raw = await broker.rawChannel(t);
    await raw.call(1, 'queue.declare', { queue: 'q' });
    raw.publish(1, { routingKey: 'q' }, 'mine');
    await raw.get(1, 'q', false);
    await raw.openChannel(7);
    raw.sendMethod(7, 'queue.declare', { queue: 'fault' });
    await raw.expectClose(0, connectionClose(541, '', 'queue.declare'));
    await bystander();
    assert.equal(errors.length, 1);
    const { text, fields } = errors[0]!;
    assert.equal(text, 'internal error');
    const { connection, error, ...rest } = fields;
    assert.ok(error instanceof Fault);
    assert.match(String(connection), /^127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+$/);
    const where = { channel: 7, classId: 50, methodId: 10 };
    assert.deepEqual(rest, { user: 'guest', vhost: '/', mechanism: 'PLAIN', ...where });
    // What it had not acknowledged is there for others.
    const next = await broker.rawChannel(t);
    assert.equal((await next.get(1, 'q'))?.body.toString(), 'mine');
  });

  test('while it is written to is not its publisher’s, nor another consumer’s', async (t) => {
    const { running, broker, errors, bystander } = await world(t);
    const publisher = await broker.rawChannel(t);
    await publisher.call(1, 'confirm.select');
    await publisher.call(1, 'queue.declare', { queue: 'q' });
    const broken = await consumer(t, running, 'q');
    broken.write = () => {
      throw new Fault('nothing can be written');
    };
    const body = Buffer.alloc(300_000, 'x');
    publisher.publish(1, { routingKey: 'q' }, body);
    await publisher.expectMethod('basic.ack', 1);
    await bystander();
    assert.ok(errors.some(({ fields }) => fields.error instanceof Fault));
    // It was delivered to nobody, so another one gets it.
    await publisher.untilReady(1, 'q', 1);
    assert.ok((await publisher.get(1, 'q'))?.body.equals(body));
  });

  test('while it is written to does not matter to whose queue goes with it', async (t) => {
    const { running, broker, bystander } = await world(t);
    const publisher = await broker.rawChannel(t);
    await publisher.call(1, 'confirm.select');
    const broken = await consumer(t, running, 'own', { noAck: true });
    broken.write = () => {
      throw new Fault('nothing can be written');
    };
    const closed = once(broken, 'close');
    for (let i = 0; i < 3; i++) {
      publisher.publish(1, { routingKey: 'own' }, Buffer.alloc(300_000, 'x'));
      await publisher.expectMethod('basic.ack', 1);
    }
    await closed;
    await bystander();
    // The queue was exclusive, and its name is free.
    await publisher.call(1, 'queue.declare', { queue: 'own', exclusive: true });
  });

  test('in a handshake ends that alone', async (t) => {
    const nameless = {
      get name(): string {
        throw new Fault('nobody has a name');
      },
    };
    const outcomes = [
      () => Promise.resolve({ name: 'guest' }),
      () => Promise.reject(new Fault('nobody is known')),
      () => Promise.resolve(nameless),
    ];
    const login = (): Promise<{ name: string }> => outcomes.shift()!();
    const { broker, errors, bystander } = await world(t, { authenticator: { login } });
    const unknown = await broker.socket(t);
    await unknown.start();
    await unknown.expectEnd();
    await bystander();
    const unnamed = await broker.socket(t);
    await unnamed.authenticate();
    unnamed.sendMethod(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4096, heartbeat: 0 });
    unnamed.sendMethod(0, 'connection.open', { virtualHost: '/' });
    await unnamed.expectEnd();
    await bystander();
    assert.deepEqual(
      errors.map(({ text, fields }) => [text, fields.error instanceof Fault]),
      Array.from({ length: 2 }, () => ['internal error in a handshake', true]),
    );
  });

  test('before its first octet ends it alone', async (t) => {
    const { running, errors, bystander } = await world(t);
    const [ours] = duplexPair();
    ours.on = () => {
      throw new Fault('nobody may listen');
    };
    running.accept(ours);
    assert.ok(ours.destroyed);
    await bystander();
    assert.equal(errors.length, 1);
  });
});

/** The broker's end of a stream in this process, over which a queue is consumed from. */
async function consumer(
  t: TestContext,
  running: RunningBroker,
  queue: string,
  { noAck } = { noAck: false },
): Promise<Duplex> {
  const [ours, theirs] = duplexPair();
  t.after(() => ours.destroy());
  running.accept(theirs);
  const isFrom = (name: string): Promise<void> => until(ours, name);
  ours.write(protocolHeader);
  await isFrom('connection.start');
  const send = (channel: number, name: string, args = {}): void => {
    ours.write(encodeFrame(frameType.method, channel, encodeMethod(name, args)));
  };
  const response = '\0guest\0guest';
  send(0, 'connection.start-ok', { mechanism: 'PLAIN', response, locale: 'en_US' });
  await isFrom('connection.tune');
  send(0, 'connection.tune-ok', { channelMax: 7, frameMax: 131_072, heartbeat: 0 });
  send(0, 'connection.open', { virtualHost: '/' });
  await isFrom('connection.open-ok');
  send(1, 'channel.open');
  await isFrom('channel.open-ok');
  if (noAck) {
    send(1, 'queue.declare', { queue, exclusive: true });
    await isFrom('queue.declare-ok');
  }
  send(1, 'basic.consume', { queue, noAck });
  await isFrom('basic.consume-ok');
  return theirs;
}

/** Waits for one frame, which has to be that method. */
async function until(stream: Duplex, name: string): Promise<void> {
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  assert.equal(decodeMethod(chunk.readUInt16BE(1), chunk.subarray(7, -1)).name, name);
}
