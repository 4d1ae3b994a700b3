import {
  type BasicProperties,
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethodFrame,
} from '@leveret/amqp';

const FRAME_MAX = 131_072;
const WRITE_BYTES = 65_536;

/** One publish of a cycle. */
export interface Publish {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: BasicProperties;
  /** Whose numbering the message counts in. */
  readonly stream: number;
}

/** A publish as it goes over the wire, on channel 1. */
export function encodePublish(publish: Omit<Publish, 'stream'>, body: Buffer): Buffer {
  const { exchange, routingKey, properties } = publish;
  const args = { exchange, routingKey, mandatory: false, immediate: false };
  return Buffer.concat([
    encodeMethodFrame(1, 'basic.publish', args),
    encodeContentHeaderFrame(1, body.length, properties),
    ...encodeBodyFrames(1, body, FRAME_MAX),
  ]);
}

/**
 * Publishes in turn, over and over, encoded once. The bodies are numbered:
 *
 *     0        4        8
 *     +--------+--------+----------------
 *     | stream | number | filling ...
 *     +--------+--------+----------------
 */
export class PublishCycle {
  published = 0;
  readonly #octets: Buffer;
  /** Where each publish begins; one more for the end. */
  readonly #starts: readonly number[];
  readonly #streams: readonly number[];
  readonly #bodyBytes: number;
  readonly #numbers: Map<number, number> = new Map();
  #at = 0;

  constructor(publishes: readonly Publish[], bodyBytes: number) {
    const body = Buffer.alloc(bodyBytes, 'x');
    const encoded = publishes.map((publish) => encodePublish(publish, body));
    const roundBytes = encoded.reduce((sum, { length }) => sum + length, 0);
    const rounds = Math.max(1, Math.floor(WRITE_BYTES / roundBytes));
    const all = Array.from({ length: rounds }, () => encoded).flat();
    const starts = [0];
    for (const { length } of all) starts.push(starts.at(-1)! + length);
    this.#octets = Buffer.concat(all);
    this.#starts = starts;
    this.#streams = Array.from({ length: rounds }, () => publishes.map((p) => p.stream)).flat();
    this.#bodyBytes = bodyBytes;
  }

  /** How many of a stream there have been. */
  publishedTo(stream: number): number {
    return this.#numbers.get(stream) ?? 0;
  }

  /** The next publishes, at most `limit` of them and no more than make a large write. */
  take(limit: number): Buffer {
    const first = this.#at;
    const begin = this.#starts[first]!;
    let at = first;
    do {
      this.#number(at);
      at++;
    } while (at < this.#streams.length && at - first < limit && this.#fits(begin, at));
    this.#at = at === this.#streams.length ? 0 : at;
    this.published += at - first;
    return Buffer.from(this.#octets.subarray(begin, this.#starts[at]));
  }

  #fits(begin: number, at: number): boolean {
    return this.#starts[at + 1]! - begin <= WRITE_BYTES;
  }

  #number(at: number): void {
    const stream = this.#streams[at]!;
    const number = this.publishedTo(stream);
    this.#numbers.set(stream, number + 1);
    const body = this.#starts[at + 1]! - 1 - this.#bodyBytes;
    this.#octets.writeUInt32BE(stream, body);
    this.#octets.writeUInt32BE(number, body + 4);
  }
}
