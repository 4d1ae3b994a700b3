import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Channel, type ConsumeMessage, connect } from 'amqplib';
import { SeededRandom } from '../../wire/seeded-random.js';
import { brokerUnderTest } from '../broker-under-test.js';
import { Inbox } from './inbox.js';
import { Link } from './link.js';

const broker = await brokerUnderTest();
const skip = broker.isRabbit && 'RabbitMQ has no message groups';

const KEYS = 12;
const MESSAGES_A_KEY = 60;
const CONSUMERS = 5;

/**
 * What has to hold of each key: one at a time, and one after the other. Who dies may take the
 * acknowledgement of the last one along: that one comes again.
 */
class Ledger {
  readonly done: Inbox<string> = new Inbox();
  readonly problems: string[] = [];
  readonly #next = new Map<string, number>();
  readonly #holders = new Map<string, Worker>();

  begins(key: string, number: number, redelivered: boolean, worker: Worker): void {
    if (this.#holders.has(key)) this.problems.push(`${key}: ${number} while another is at work`);
    const expected = this.#next.get(key) ?? 0;
    const isAgain = redelivered && number === expected - 1;
    if (number !== expected && !isAgain) this.problems.push(`${key}: ${number}, not ${expected}`);
    this.#holders.set(key, worker);
  }

  /** The worker has let go of the message, done or not. */
  ends(key: string, number: number, isDone: boolean): void {
    this.#holders.delete(key);
    if (!isDone || number < (this.#next.get(key) ?? 0)) return;
    this.#next.set(key, number + 1);
    this.done.put(`${key} ${number}`);
  }

  /** The worker has died, and what it held is held no longer. */
  died(worker: Worker): void {
    for (const [key, holder] of this.#holders) if (holder === worker) this.#holders.delete(key);
  }
}

/** Consumes, takes its time, and does what it likes with messages. */
class Worker {
  readonly #link: Link;
  readonly #channel: Channel;
  readonly #ledger: Ledger;
  readonly #random: SeededRandom;
  #isDead = false;

  constructor(link: Link, channel: Channel, ledger: Ledger, random: SeededRandom) {
    this.#link = link;
    this.#channel = channel;
    this.#ledger = ledger;
    this.#random = random;
  }

  async start(queue: string, prefetch: number): Promise<void> {
    await this.#channel.prefetch(prefetch);
    await this.#channel.consume(queue, (message) => {
      if (message !== null && !this.#isDead) void this.#work(message);
    });
  }

  die(): void {
    this.#isDead = true;
    this.#ledger.died(this);
    this.#link.cut();
  }

  async #work(message: ConsumeMessage): Promise<void> {
    const key = String(message.properties.headers?.key);
    const number = Number(message.content.toString());
    this.#ledger.begins(key, number, message.fields.redelivered, this);
    for (let turns = this.#random.below(4); turns > 0; turns--) await nextTurn();
    if (this.#isDead) return;
    const isDone = this.#random.percent(85);
    this.#ledger.ends(key, number, isDone);
    if (isDone) this.#channel.ack(message);
    else this.#channel.nack(message, false, true);
  }
}

test('each key in order, whoever works, gives back or dies', { skip }, async (t) => {
  const random = new SeededRandom(7);
  const ledger = new Ledger();
  const channel = await (await broker.amqplib(t)).createConfirmChannel();
  const queue = broker.queueName();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-group-by': 'key' } });

  const hire = async (): Promise<Worker> => {
    const worker = await newWorker(t, ledger, random);
    await worker.start(queue, 1 + random.below(15));
    return worker;
  };
  const workers = await Promise.all(Array.from({ length: CONSUMERS }, hire));
  for (let number = 0; number < MESSAGES_A_KEY; number++) {
    for (let key = 0; key < KEYS; key++) {
      const options = { headers: { key: `k${key}` }, persistent: random.percent(50) };
      channel.sendToQueue(queue, Buffer.from(String(number)), options);
    }
    if (number % 10 === 5) {
      workers[random.below(CONSUMERS)]!.die();
      workers.push(await hire());
    }
  }
  await channel.waitForConfirms();
  const done = await ledger.done.atLeast(KEYS * MESSAGES_A_KEY);
  assert.deepEqual(ledger.problems, []);
  assert.equal(new Set(done).size, KEYS * MESSAGES_A_KEY);
  assert.equal((await channel.checkQueue(queue)).messageCount, 0);
});

async function newWorker(t: TestContext, ledger: Ledger, random: SeededRandom): Promise<Worker> {
  const link = await Link.open(t, broker.url);
  const connection = await connect(link.url);
  // Whoever dies is told so by its library.
  connection.on('error', () => undefined);
  t.after(() => connection.close().catch(() => undefined));
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  return new Worker(link, channel, ledger, random);
}
