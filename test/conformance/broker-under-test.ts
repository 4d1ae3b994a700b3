import { randomBytes } from 'node:crypto';
import { after, type TestContext } from 'node:test';
import { type ChannelModel, connect, type Options } from 'amqplib';

/**
 * The broker a test file talks to: the one at `AMQP_URL` where that is set, whatever it is, otherwise
 * a Leveret of the file's own in this process. What the file declares is deleted after its last test.
 */
export class BrokerUnderTest {
  readonly url: string;
  readonly port: number;
  /** Whether it runs in this process, so that no other test file sees it. */
  readonly isOwn: boolean;
  readonly #queues: string[] = [];
  readonly #exchanges: string[] = [];
  /** Tells this run's names from another's on the same broker. */
  readonly #run = randomBytes(4).toString('hex');
  #names = 0;

  constructor(url: string, isOwn: boolean) {
    this.url = url;
    this.isOwn = isOwn;
    this.port = Number(new URL(url).port);
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
    const connection = await connect(this.url);
    const channel = await connection.createChannel();
    // Deleting what is not there is fine.
    for (const queue of this.#queues) await channel.deleteQueue(queue);
    for (const exchange of this.#exchanges) await channel.deleteExchange(exchange);
    await connection.close();
  }
}

/** Call once at the top of a test file; the broker is stopped or tidied after the file's tests. */
export async function brokerUnderTest(): Promise<BrokerUnderTest> {
  const given = process.env['AMQP_URL'];
  const own = given === undefined ? await startLeveret() : undefined;
  const broker = new BrokerUnderTest(given ?? own!.url, own !== undefined);
  after(async () => {
    await broker.deleteWhatWasDeclared();
    await own?.close();
  });
  return broker;
}

interface EmbeddedBroker {
  readonly url: string;
  close(): Promise<void>;
}

async function startLeveret(): Promise<EmbeddedBroker> {
  const door: Record<string, unknown> = await import('@leveret/broker');
  const startBroker = door['startBroker'];
  if (typeof startBroker !== 'function') {
    throw new Error('@leveret/broker has no startBroker yet: set AMQP_URL to test another broker');
  }
  return (await startBroker({ port: 0 })) as EmbeddedBroker; // the shape is the package's promise
}
