import { setTimeout as delay } from 'node:timers/promises';
import { encodeFrame, frameType } from '../../wire/frame.js';
import { encodeContentHeader } from '../../wire/wire-codec.js';
import { Bystander } from './bystander.js';
import { methodFrame } from './hostile-peer.js';

const QUEUE = 'steady';
const BODY_BYTES = 100;

/** How often the publisher looks whether something is due, in milliseconds. */
const TICK_MILLISECONDS = 2;

/** Deliveries acknowledged together. */
const ACK_EVERY = 20;

/** How long what is under way may take to arrive at the end. A deadline, not a measure. */
const DEADLINE_MILLISECONDS = 60_000;

/** What arrived in a stretch of time. */
export interface Stretch {
  /** Messages delivered in a second. */
  readonly rate: number;
  /** Milliseconds from when a message was due until it arrived, which 99 of 100 did not exceed. */
  readonly p99: number;
  readonly slowest: number;
}

/**
 * A publisher and a consumer on two connections that go on at a fixed rate, whatever else happens:
 * persistent messages through a durable queue, each confirmed, delivered and acknowledged. A
 * message counts from when it was due, not from when there was time to send it.
 */
export class SteadyFlow {
  readonly #publisher: Bystander;
  readonly #consumer: Bystander;
  readonly #ratePerSecond: number;
  readonly #publish: Buffer;
  /** When each message was due, by its number. */
  readonly #due: number[] = [];
  #firstDue = 0;
  #firstNumber = 0;
  #confirmed = 0;
  #delivered = 0;
  #latencies: number[] = [];
  #isStopped = false;
  #isBlocked = false;
  /** How often the broker has said that publishers wait. */
  blockedTimes = 0;
  readonly #done: Promise<void>;

  private constructor(publisher: Bystander, consumer: Bystander, ratePerSecond: number) {
    this.#publisher = publisher;
    this.#consumer = consumer;
    this.#ratePerSecond = ratePerSecond;
    const properties = encodeContentHeader(BODY_BYTES, { deliveryMode: 2 });
    this.#publish = Buffer.concat([
      methodFrame(1, 'basic.publish', { routingKey: QUEUE }),
      encodeFrame(frameType.header, 1, properties),
      encodeFrame(frameType.body, 1, Buffer.alloc(BODY_BYTES, 'x')),
    ]);
    this.#done = this.#goOn();
  }

  static async start(port: number, ratePerSecond: number): Promise<SteadyFlow> {
    // Nothing comes before there is a consumer.
    let flow: SteadyFlow | undefined;
    const publisher = await Bystander.open(port, {
      confirmed: (tag, multiple) => flow?.confirm(tag, multiple),
      blocked: (isBlocked) => flow?.block(isBlocked),
    });
    await publisher.call('queue.declare', { queue: QUEUE, durable: true });
    await publisher.call('confirm.select');
    const consumer = await Bystander.open(port, {
      delivered: (tag) => flow?.acknowledge(tag),
      body: (buffer, start) => flow?.arrive(buffer.readUInt32BE(start)),
    });
    await consumer.call('basic.consume', { queue: QUEUE });
    flow = new SteadyFlow(publisher, consumer, ratePerSecond);
    return flow;
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** What has gone wrong, which nothing should. */
  get fault(): string | undefined {
    return this.#publisher.fault ?? this.#consumer.fault;
  }

  /** What arrives from now until `until`. */
  async measure(until: Promise<unknown>): Promise<Stretch> {
    const from = performance.now();
    const before = this.#delivered;
    this.#latencies = [];
    await until;
    const seconds = (performance.now() - from) / 1_000;
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      rate: (this.#delivered - before) / seconds,
      p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY,
      slowest: sorted.at(-1) ?? Number.POSITIVE_INFINITY,
    };
  }

  /** Ends it; answers how many messages there were. Rejects if one was lost, or anything wrong. */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await this.#done;
    const published = this.#due.length;
    const deadline = performance.now() + DEADLINE_MILLISECONDS;
    while (this.#confirmed < published || this.#delivered < published) {
      if (this.fault !== undefined) throw new Error(this.fault);
      if (performance.now() > deadline) {
        const so = `${this.#confirmed} confirmed and ${this.#delivered} delivered`;
        throw new Error(`of ${published} messages ${so}`);
      }
      await delay(TICK_MILLISECONDS);
    }
    await Promise.all([this.#publisher.close(), this.#consumer.close()]);
    if (this.fault !== undefined) throw new Error(this.fault);
    return published;
  }

  confirm(tag: number, multiple: boolean): void {
    if (multiple) this.#confirmed = tag;
    else if (tag !== ++this.#confirmed) this.#fail(`${tag} was confirmed out of order`);
  }

  block(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    if (isBlocked) this.blockedTimes++;
    else this.#schedule();
  }

  acknowledge(tag: number): void {
    if (tag % ACK_EVERY !== 0) return;
    this.#consumer.socket.write(methodFrame(1, 'basic.ack', { deliveryTag: tag, multiple: true }));
  }

  arrive(number: number): void {
    if (number !== this.#delivered) this.#fail(`${number} came instead of ${this.#delivered}`);
    this.#delivered++;
    this.#latencies.push(performance.now() - this.#due[number]!);
  }

  #fail(fault: string): void {
    this.#consumer.fault ??= fault;
  }

  async #goOn(): Promise<void> {
    this.#schedule();
    while (!this.#isStopped && this.fault === undefined) {
      if (!this.#isBlocked) this.#publishWhatIsDue();
      await delay(TICK_MILLISECONDS);
    }
  }

  /** From now on messages are due again; what could not be while publishers waited is left out. */
  #schedule(): void {
    this.#firstDue = performance.now();
    this.#firstNumber = this.#due.length;
  }

  #publishWhatIsDue(): void {
    const pace = 1_000 / this.#ratePerSecond;
    const count = Math.floor((performance.now() - this.#firstDue) / pace) + this.#firstNumber;
    const octets: Buffer[] = [];
    for (let number = this.#due.length; number < count; number++) {
      this.#due.push(this.#firstDue + (number - this.#firstNumber) * pace);
      const publish = Buffer.from(this.#publish);
      publish.writeUInt32BE(number, publish.length - 1 - BODY_BYTES);
      octets.push(publish);
    }
    if (octets.length > 0) this.#publisher.socket.write(Buffer.concat(octets));
  }
}
