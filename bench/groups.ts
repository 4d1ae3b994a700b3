/**
 * Measures message groups: many keys, and a slow one that others must not wait for.
 *
 *     npm run bench:groups -- [--messages 1000000] [--groups 100000]
 *                          [--consumers 4] [--prefetch 250]
 *
 * Every queue is durable, every message persistent, with a body of 100 octets. Each consumer checks
 * that messages of a key come in order, and one at a time. Beside them a plain queue is measured.
 */
import { parseArgs } from 'node:util';
import type { FieldTable } from '@leveret/amqp';
import { leveret, ownLauncher } from './brokers/leveret.js';
import type { ProcessCost } from './brokers/process-cost.js';
import { acksEach } from './load/acks.js';
import { Peers } from './load/peers.js';
import { encodePublish } from './load/publish-cycle.js';
import { type RawPeer, targetOf } from './load/raw-peer.js';

const BODY_BYTES = 100;
const WRITE_BYTES = 262_144;
/** The key that nobody finishes. */
const SLOW = 0;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1000000' },
    groups: { type: 'string', default: '100000' },
    consumers: { type: 'string', default: '4' },
    prefetch: { type: 'string', default: '250' },
  },
});
const messages = Number(values.messages);
const groups = Number(values.groups);

const broker = await leveret({ name: 'Leveret', launcher: ownLauncher, nodeOptions: [] }).start();
const peers = new Peers(targetOf(broker.url));
async function measure(cost: ProcessCost | undefined): Promise<void> {
  console.log(`${messages} messages, ${groups} groups; 1/s and MiB`);
  const even = (at: number): number => 1 + (at % groups);
  const withSlow = (at: number): number => (at % 2 === 0 ? SLOW : even(at));
  for (const [name, hasGroups, keyOf, slow] of [
    ['plain queue', false, even, 0],
    [`${groups} groups`, true, even, 0],
    ['every other message behind a slow key', true, withSlow, messages / 2],
  ] as const) {
    const queue = new BenchQueue(name, hasGroups);
    await queue.declare();
    const holder = slow > 0 ? await queue.hold() : undefined;
    const published = await rateOf(messages, () => queue.fill(keyOf));
    const filled = cost?.residentMebibytes() ?? Number.NaN;
    const count = messages - slow;
    const consumed = await rateOf(count, () => queue.consume(count));
    const memory = `${filled.toFixed(0)} full, ${(cost?.residentMebibytes() ?? 0).toFixed(0)} after`;
    console.log(`${name}: in ${published}, out ${consumed}, memory ${memory}`);
    if (holder !== undefined) peers.close(holder);
    await queue.delete();
  }
}

async function rateOf(count: number, work: () => Promise<void>): Promise<string> {
  const begun = performance.now();
  await work();
  return Math.round((count * 1_000) / (performance.now() - begun)).toString();
}

/** A queue that is filled and emptied. */
class BenchQueue {
  readonly #name: string;
  readonly #hasGroups: boolean;
  readonly #consumers: RawPeer[] = [];

  constructor(name: string, hasGroups: boolean) {
    this.#name = name;
    this.#hasGroups = hasGroups;
  }

  async declare(): Promise<void> {
    const table: FieldTable = this.#hasGroups
      ? new Map([['x-group-by', { type: 'S', value: 'key' }]])
      : new Map();
    const flags = { passive: false, durable: true, exclusive: false, autoDelete: false };
    const args = { queue: this.#name, ...flags, nowait: false, arguments: table };
    await (await peers.open()).request('queue.declare', args, 'queue.declare-ok');
  }

  /** A consumer that gets a message of the slow key, and keeps it. */
  async hold(): Promise<RawPeer> {
    const holder = await peers.open();
    await holder.consume(this.#name, false, 1);
    const delivered = new Promise<void>((resolve) => {
      peers.scan(holder, { deliver: () => resolve() });
    });
    const publisher = await peers.open();
    publisher.socket.write(this.#encode(SLOW));
    await delivered;
    return holder;
  }

  /** Publishes all messages, and waits until the broker has them. */
  async fill(keyOf: (at: number) => number): Promise<void> {
    const publisher = await peers.open();
    const numbers = new Uint32Array(groups + 1);
    const templates = new Map<number, Buffer>();
    let chunk: Buffer[] = [];
    let bytes = 0;
    for (let at = 0; at < messages; at++) {
      const key = keyOf(at);
      const template = templates.get(key) ?? this.#encode(key);
      templates.set(key, template);
      const publish = Buffer.from(template);
      publish.writeUInt32BE(numbers[key]!++, publish.length - 1 - BODY_BYTES + 4);
      chunk.push(publish);
      bytes += publish.length;
      if (bytes < WRITE_BYTES && at < messages - 1) continue;
      const isTaken = publisher.socket.write(Buffer.concat(chunk));
      [chunk, bytes] = [[], 0];
      if (!isTaken) await new Promise((resolve) => publisher.socket.once('drain', resolve));
    }
    await publisher.request('channel.flow', { active: true }, 'channel.flow-ok');
    peers.close(publisher);
  }

  /** Takes and acknowledges so many messages with all consumers. Rejects on a wrong order. */
  async consume(count: number): Promise<void> {
    let left = count;
    const next = new Uint32Array(groups + 1);
    const inFlight = new Uint8Array(groups + 1);
    await new Promise<void>((resolve, reject) => {
      const consumers = Array.from({ length: Number(values.consumers) }, async () => {
        const peer = await peers.open();
        this.#consumers.push(peer);
        const keys: number[] = [];
        let last = 0;
        let acked = 0;
        const body = (buffer: Buffer, start: number): void => {
          const key = buffer.readUInt32BE(start);
          const number = buffer.readUInt32BE(start + 4);
          if (this.#hasGroups && (number !== next[key] || inFlight[key] === 1)) {
            throw new Error(`message ${number} of key ${key}: ${next[key]} is next`);
          }
          next[key]!++;
          inFlight[key] = 1;
          keys.push(key);
        };
        const acknowledge = (): void => {
          if (last === acked) return;
          for (const key of keys) inFlight[key] = 0;
          left -= keys.length;
          keys.length = 0;
          peer.socket.write(acksEach(acked + 1, last));
          acked = last;
          if (left === 0) resolve();
        };
        const deliver = (tag: number): void => {
          last = tag;
        };
        await peer.consume(this.#name, false, Number(values.prefetch));
        peers.scan(peer, { deliver, body }, acknowledge);
      });
      Promise.all(consumers).catch(reject);
    });
  }

  async delete(): Promise<void> {
    for (const peer of this.#consumers) peers.close(peer);
    await (await peers.open()).deleteQueue(this.#name);
  }

  #encode(key: number): Buffer {
    const body = Buffer.alloc(BODY_BYTES, 'x');
    body.writeUInt32BE(key, 0);
    body.writeUInt32BE(0, 4);
    const headers: FieldTable = new Map([['key', { type: 'S', value: `customer-${key}` }]]);
    const properties = { deliveryMode: 2, headers };
    return encodePublish({ exchange: '', routingKey: this.#name, properties }, body);
  }
}

try {
  await Promise.race([measure(broker.process), peers.failure]);
} finally {
  peers.closeAll();
  await broker.stop();
}
