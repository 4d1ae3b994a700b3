import assert from 'node:assert/strict';
import { Duplex, duplexPair } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { Broker } from './broker.js';
import { framesOf, interleave } from './protocols/amqp091/content.test.support.js';
import { RawPeer } from './protocols/amqp091/raw-peer.test.support.js';

const CHANNELS = [1, 2, 3];

/** A stream that uses the octets it hands over for something else as soon as it has. */
class HastyDuplex extends Duplex {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    super();
    this.#stream = stream;
    stream.on('data', (octets: Buffer) => {
      const chunk = Buffer.from(octets);
      this.emit('data', chunk);
      chunk.fill(0xce);
    });
    stream.on('close', () => this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    this.#stream.write(chunk, encoding, () => done());
  }

  override _final(done: () => void): void {
    this.#stream.end(() => done());
  }
}

/** A peer of a broker that reads it from such a stream. */
function connect(broker: Broker): RawPeer {
  const [theirs, ours] = duplexPair();
  const stream = new HastyDuplex(theirs);
  broker.accept(stream);
  return new RawPeer(ours);
}

/** A publish, its body in frames of up to 3,000 octets. */
function publishOf(channel: number, body: Buffer): Buffer[] {
  const flags = { mandatory: false, immediate: false };
  const content = { exchange: '', routingKey: 'q', ...flags, properties: {}, body };
  return framesOf(channel, content, [3_000, 3_000, 3_000]);
}

/** Octets in pieces of the given sizes, as often as it takes. */
function* pieces(octets: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, i = 0; at < octets.length; i++) {
    const end = at + sizes[i % sizes.length]!;
    yield octets.subarray(at, end);
    at = end;
  }
}

function sorted(texts: readonly string[]): string[] {
  return texts.toSorted((a, b) => a.localeCompare(b));
}

async function nextBody(consumer: RawPeer): Promise<Buffer> {
  await consumer.expect('basic.deliver');
  const header = await consumer.next();
  let left = Number(header.payload.readBigUInt64BE(4));
  const frames: Buffer[] = [];
  while (left > 0) {
    const { payload } = await consumer.next();
    frames.push(payload);
    left -= payload.length;
  }
  return Buffer.concat(frames);
}

const publish = fc.record({ channel: fc.constantFrom(...CHANNELS), bytes: fc.nat(9_000) });
const sizes = fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 20 });

test('what a stream has handed over may be written over: no message changes by it', async () => {
  const publishes = fc.array(publish, { minLength: 1, maxLength: 12 });
  const choices = fc.array(fc.nat(2), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(publishes, sizes, choices, async (published, cuts, order) => {
      const broker = new Broker();
      const publisher = connect(broker);
      await publisher.handshake();
      for (const channel of CHANNELS) await publisher.openChannel(channel);
      await publisher.declareQueue(1, 'q');
      const bodies = published.map(({ bytes }, at) => Buffer.alloc(bytes, `${at} `));
      const frames = CHANNELS.map((number) =>
        published.flatMap(({ channel }, at) =>
          channel === number ? publishOf(channel, bodies[at]!) : [],
        ),
      );
      const octets = Buffer.concat(interleave(frames, order));
      for (const piece of pieces(octets, cuts)) publisher.duplex.write(piece);
      const consumer = connect(broker);
      await consumer.handshake();
      await consumer.openChannel(1);
      await consumer.consume(1, 'q', true);
      const got: string[] = [];
      while (got.length < bodies.length) got.push((await nextBody(consumer)).toString());
      assert.deepEqual(sorted(got), sorted(bodies.map(String)));
      await Promise.all([publisher, consumer].map((peer) => peer.close()));
      await broker.close();
    }),
    { numRuns: 60 },
  );
});
