import { randomBytes } from 'node:crypto';
import { after, type TestContext } from 'node:test';
import { type ChannelModel, connect, type Options } from 'amqplib';
import { type HandshakeOptions, RawConnection } from '../wire/raw-connection.js';
import type { Difference } from './differences.js';

/**
 * The broker a test file talks to: the one at `AMQP_URL` where that is set, whatever it is,
 * otherwise a Leveret of the file's own in this process. What the file declares is deleted after
 * its last test.
 */
export class BrokerUnderTest {
  readonly url: string;
  readonly port: number;
  /** Whether it is RabbitMQ, and the expectations of `differences.ts` are RabbitMQ's. */
  readonly isRabbit: boolean;
  /** Whether it runs in this process, so that no other test file sees it. */
  readonly isOwn: boolean;
  readonly #queues: string[] = [];
  readonly #exchanges: string[] = [];
  /** Tells this run's names from another's on the same broker. */
  readonly #run = randomBytes(4).toString('hex');
  #names = 0;

  constructor(url: string, isRabbit: boolean, isOwn: boolean) {
    this.url = url;
    this.port = Number(new URL(url).port);
    this.isRabbit = isRabbit;
    this.isOwn = isOwn;
  }

  /** A name no other test uses, of a queue that is deleted in the end. */
  queueName(): string {
    const name = `q-${this.#run}-${++this.#names}`;
    this.#queues.push(name);
    return name;
  }

  /** A name no other test uses, of an exchange that is deleted in the end. */
  exchangeName(): string {
    const name = `x-${this.#run}-${++this.#names}`;
    this.#exchanges.push(name);
    return name;
  }

  /** What is expected of this broker, where the two differ on purpose. */
  expected<T>(difference: Difference<T>): T {
    return this.isRabbit ? difference.rabbitmq : difference.leveret;
  }

  /** A connected socket that has sent nothing, destroyed after the test. */
  async socket(t: TestContext): Promise<RawConnection> {
    const raw = await RawConnection.open(this.port);
    t.after(() => raw.destroy());
    return raw;
  }

  /** A raw connection after its handshake, destroyed after the test. */
  async raw(t: TestContext, options: HandshakeOptions = {}): Promise<RawConnection> {
    const raw = await RawConnection.handshake(this.port, options);
    t.after(() => raw.destroy());
    return raw;
  }

  /** A raw connection with channel 1 open. */
  async rawChannel(t: TestContext, options: HandshakeOptions = {}): Promise<RawConnection> {
    const raw = await this.raw(t, options);
    await raw.openChannel(1);
    return raw;
  }

  /** An amqplib connection, closed after the test. */
  async amqplib(t: TestContext, options: Options.Connect = {}): Promise<ChannelModel> {
    const url = new URL(this.url);
    const connection = await connect({
      protocol: 'amqp',
      hostname: url.hostname,
      port: this.port,
      username: url.username,
      password: url.password,
      ...options,
    });
    let closed = false;
    connection.on('close', () => {
      closed = true;
    });
    t.after(async () => {
      if (!closed) await connection.close();
    });
    return connection;
  }

  async deleteWhatWasDeclared(): Promise<void> {
    if (this.#queues.length + this.#exchanges.length === 0) return;
    const raw = await RawConnection.handshake(this.port);
    await raw.openChannel(1);
    // Deleting what is not there is fine.
    for (const queue of this.#queues) await raw.call(1, 'queue.delete', { queue });
    for (const exchange of this.#exchanges) await raw.call(1, 'exchange.delete', { exchange });
    await raw.close();
  }
}

/** Call once at the top of a test file; the broker is stopped or tidied after the file's tests. */
export async function brokerUnderTest(): Promise<BrokerUnderTest> {
  const given = process.env.AMQP_URL;
  const own = given === undefined ? await startLeveret() : undefined;
  const url = given ?? own!.url;
  const broker = new BrokerUnderTest(url, await isRabbit(url), own !== undefined);
  after(async () => {
    await broker.deleteWhatWasDeclared();
    await own?.close();
  });
  return broker;
}

/** What the conformance suite needs of an embedded Leveret. */
export interface EmbeddedBroker {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a Leveret in this process, on a port of its own. */
export async function startLeveret(): Promise<EmbeddedBroker> {
  const door: Record<string, unknown> = await import('@leveret/broker');
  const startBroker = door.startBroker;
  if (typeof startBroker !== 'function') {
    throw new Error('@leveret/broker has no startBroker yet: set AMQP_URL to test another broker');
  }
  return (await startBroker({ port: 0 })) as EmbeddedBroker; // the shape is the package's promise
}

/** Both call themselves RabbitMQ, because clients look at it; the platform tells them apart. */
async function isRabbit(url: string): Promise<boolean> {
  const raw = await RawConnection.open(Number(new URL(url).port));
  const start = await raw.start();
  raw.destroy();
  const properties = start.args.serverProperties as Record<string, unknown>; // a table
  return String(properties.platform).startsWith('Erlang');
}
