import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { frameEnd, frameType } from '../wire/frame.js';
import { RawConnection } from '../wire/raw-connection.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { decodeMethod } from '../wire/wire-codec.js';
import { fuzzExchanges, fuzzQueues, fuzzStream } from './fuzz-stream.js';

export interface StreamsOptions {
  readonly port: number;
  /** How many frames to send, at least. */
  readonly frames: number;
  readonly seed: number;
  /** Hostile connections at a time. Default 4. */
  readonly parallel?: number;
  /** Whether 541 INTERNAL_ERROR is an answer like another, as it is for RabbitMQ. Default false. */
  readonly internalErrors?: boolean;
  /** The number of the only stream to send. Default all. */
  readonly only?: number;
}

export interface StreamsReport {
  readonly frames: number;
  readonly connections: number;
  /** How many connections were closed with each code; `end` for those that were not. */
  readonly closes: ReadonlyMap<number | 'end', number>;
  /** How often the broker sent each method: whether the streams get anywhere. */
  readonly answers: ReadonlyMap<string, number>;
  /** Messages the well-behaved connection sent, confirmed, received and acknowledged. */
  readonly wellBehaved: number;
}

/** How long the broker may take for a whole connection, refusals included. */
const deadlineMilliseconds = 20_000;

/**
 * Sends a broker streams of frames that are valid, wrong or broken, while a well-behaved connection
 * alongside publishes and consumes. Rejects when the broker fails, naming the number of the stream.
 */
export async function sendHostileStreams(options: StreamsOptions): Promise<StreamsReport> {
  const closes = new Map<number | 'end', number>();
  const answers = new Map<string, number>();
  let frames = 0;
  let connections = 0;
  let number = options.only ?? 0;
  const neighbour = await WellBehaved.start(options.port);
  const attack = async (): Promise<void> => {
    while (frames < options.frames) {
      const mine = number++;
      const stream = fuzzStream(streamRandom(options.seed, mine));
      frames += stream.frames;
      connections++;
      try {
        const end = await send(options.port, stream.bytes, answers);
        assert.ok(options.internalErrors || end !== 541, 'the broker failed inside: 541');
        closes.set(end, (closes.get(end) ?? 0) + 1);
      } catch (error) {
        throw new Error(`seed ${options.seed}, stream ${mine}: ${String(error)}`, { cause: error });
      }
      if (options.only !== undefined) return;
    }
  };
  const parallel = options.only === undefined ? (options.parallel ?? 4) : 1;
  try {
    await Promise.race([neighbour.failure, Promise.all(Array.from({ length: parallel }, attack))]);
  } finally {
    await neighbour.stop();
  }
  await deleteWhatIsLeft(options.port);
  return { frames, connections, closes, answers, wellBehaved: neighbour.messages };
}

/** Deletes what the streams declared and kept, on a connection that finds the broker in order. */
async function deleteWhatIsLeft(port: number): Promise<void> {
  const raw = await RawConnection.handshake(port);
  await raw.openChannel(1);
  for (const queue of fuzzQueues) await raw.call(1, 'queue.delete', { queue });
  for (const exchange of fuzzExchanges) await raw.call(1, 'exchange.delete', { exchange });
  await raw.close();
}

/** The randomness of one stream: it depends on nothing that was sent before. */
function streamRandom(seed: number, number: number): SeededRandom {
  return new SeededRandom(new SeededRandom(seed ^ Math.imul(number, 0x9e3779b1)).bits());
}

/**
 * Sends a stream, ends the socket, and answers the code of the connection.close, if there was one.
 */
function send(port: number, bytes: Buffer, counts: Map<string, number>): Promise<number | 'end'> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answers = new AnswerCheck(counts);
    const deadline = setTimeout(() => {
      reject(new Error('the broker neither answered nor closed'));
      socket.destroy();
    }, deadlineMilliseconds);
    socket.once('connect', () => socket.end(bytes));
    socket.on('data', (chunk) => {
      try {
        answers.read(chunk);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        socket.destroy();
      }
    });
    // The broker may hang up amid what we send; that it is still there is seen by the next connect.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.once('close', () => {
      clearTimeout(deadline);
      resolve(answers.closeCode ?? 'end');
    });
  });
}

/** Checks that what a broker answers is frames, whatever it was sent. */
class AnswerCheck {
  closeCode: number | undefined;
  readonly #counts: Map<string, number>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(counts: Map<string, number>) {
    this.#counts = counts;
  }

  read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 8) {
      // A protocol header is the one answer that is not a frame; it is the last.
      if (this.#rest.toString('latin1', 0, 4) === 'AMQP') return;
      const type = this.#rest.readUInt8(0);
      const size = this.#rest.readUInt32BE(3);
      assert.ok(
        [1, 2, 3, 8].includes(type) && size <= 131072,
        `a frame, got type ${type}, ${size}`,
      );
      if (this.#rest.length < size + 8) return;
      assert.equal(this.#rest[size + 7], frameEnd, 'the end of a frame');
      if (type === frameType.method) {
        const method = decodeMethod(this.#rest.readUInt16BE(1), this.#rest.subarray(7, size + 7));
        this.#counts.set(method.name, (this.#counts.get(method.name) ?? 0) + 1);
        if (method.name === 'connection.close') this.closeCode = Number(method.args.replyCode);
      }
      this.#rest = this.#rest.subarray(size + 8);
    }
  }
}

/** A client that does nothing wrong and insists on being served right, all the time. */
class WellBehaved {
  /** Rejects when it is not served right. */
  readonly failure: Promise<never>;
  messages = 0;
  readonly #raw: RawConnection;
  readonly #queue: string;
  #stopping = false;
  readonly #rounds: Promise<void>;

  private constructor(raw: RawConnection, queue: string) {
    this.#raw = raw;
    this.#queue = queue;
    this.#rounds = this.#goOn();
    this.failure = new Promise((_, reject) => {
      this.#rounds.catch((error: unknown) => {
        reject(new Error('the well-behaved connection was disturbed', { cause: error }));
      });
    });
    // Whoever stops before the failure is looked at finds it in stop().
    this.failure.catch(() => {});
  }

  static async start(port: number): Promise<WellBehaved> {
    const raw = await RawConnection.handshake(port);
    await raw.openChannel(1);
    const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
    const queue = String(args.queue);
    await raw.call(1, 'confirm.select');
    await raw.call(1, 'basic.consume', { queue, consumerTag: 'well-behaved' });
    return new WellBehaved(raw, queue);
  }

  /** Ends after the round that is under way, and rejects if it went wrong. */
  async stop(): Promise<void> {
    this.#stopping = true;
    try {
      await this.#rounds;
      await this.#raw.close();
    } finally {
      this.#raw.destroy();
    }
  }

  async #goOn(): Promise<void> {
    while (!this.#stopping) await this.#round();
  }

  /** One message out, its confirm and its delivery in, in whichever order, and the ack out. */
  async #round(): Promise<void> {
    const tag = ++this.messages;
    const body = `message ${tag} `.repeat(1 + (tag % 50));
    this.#raw.publish(1, { routingKey: this.#queue, mandatory: true }, body, {
      messageId: `${tag}`,
    });
    let isConfirmed = false;
    let isDelivered = false;
    while (!isConfirmed || !isDelivered) {
      const method = await this.#raw.nextMethod();
      if (method.name === 'basic.ack') {
        assert.deepEqual({ ...method.args }, { deliveryTag: tag, multiple: false });
        isConfirmed = true;
        continue;
      }
      const message = await this.#raw.contentOf(method, 'basic.deliver', 1);
      assert.equal(message.body.toString(), body);
      assert.equal(message.properties.messageId, `${tag}`);
      const { deliveryTag, redelivered, consumerTag } = message.args;
      assert.deepEqual([deliveryTag, redelivered, consumerTag], [tag, false, 'well-behaved']);
      this.#raw.sendMethod(1, 'basic.ack', { deliveryTag: tag });
      isDelivered = true;
    }
  }
}
