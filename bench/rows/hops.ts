import { encodePublish } from '../load/publish-cycle.js';
import type { RawPeer } from '../load/raw-peer.js';
import { NO_FAULTS } from '../load/sequence-check.js';
import { type Row, rateOf, type Setting, until } from './row.js';

/** Messages on their way: few, so that two are rarely at the same connection. */
const TOKENS = 20;
const BODY_BYTES = 16;

/** Digits at the end of a queue's name that say whose it is. */
const DIGITS = 6;

/** How many connections are opened at the same time: a broker's listen queue is not endless. */
const OPENED_AT_ONCE = 50;

/**
 * So many connections with a queue each: what one gets it publishes to another, chosen as if by
 * chance. As many messages are on their way however many connections there are, each of them alone
 * in its writes.
 */
export function hopsRow(name: string, connections: number): Row {
  return {
    name,
    graceSeconds: 600,
    figures: [{ name: '', unit: 'msg/s', better: 'higher' }],
    measure: async (setting) => {
      const prefix = `bench-${setting.id}-`;
      const queues = Array.from({ length: connections }, (_, at) => {
        return prefix + String(at).padStart(DIGITS, '0');
      });
      const builder = await setting.peers.open();
      await builder.declareQueues(queues);
      const hops = new Hops(queues);
      await hops.open(setting);
      hops.start();
      const rate = await rateOf(setting, () => hops.received);
      hops.stop();
      await until(() => hops.received >= hops.published, setting.patienceSeconds);
      const missing = hops.published - hops.received;
      await builder.deleteQueues(queues);
      return {
        values: [rate.perSecond],
        ...rate.costs,
        faults: {
          ...NO_FAULTS,
          lost: Math.max(0, missing),
          duplicated: Math.max(0, -missing),
          misrouted: hops.misrouted,
        },
      };
    },
  };
}

/**
 * The body of a token says which one it is and how far it has come:
 *
 *     0       4      8
 *     +-------+------+----------
 *     | token | hops | zeros ...
 *     +-------+------+----------
 */
class Hops {
  received = 0;
  published = 0;
  misrouted = 0;
  readonly #queues: readonly string[];
  readonly #peers: RawPeer[] = [];
  /** The hop each token is on. */
  readonly #hops: number[] = Array.from({ length: TOKENS }, () => 0);
  /** A publish, but for the digits of its routing key and its body. */
  readonly #publish: Buffer;
  readonly #digitsAt: number;
  #isStopped = false;

  constructor(queues: readonly string[]) {
    this.#queues = queues;
    const [routingKey] = queues;
    const publish = { exchange: '', routingKey: routingKey!, properties: {} };
    this.#publish = encodePublish(publish, Buffer.alloc(BODY_BYTES));
    this.#digitsAt = this.#publish.indexOf(routingKey!) + routingKey!.length - DIGITS;
  }

  async open(setting: Setting): Promise<void> {
    const { length } = this.#queues;
    for (let from = 0; from < length; from += OPENED_AT_ONCE) {
      const some = Array.from({ length: Math.min(OPENED_AT_ONCE, length - from) });
      await Promise.all(some.map((_, at) => this.#join(setting, from + at)));
    }
  }

  start(): void {
    for (let token = 0; token < TOKENS; token++) this.#send(this.#place(token, 0), token);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #join({ peers }: Setting, at: number): Promise<void> {
    const peer = await peers.open();
    this.#peers[at] = peer;
    await peer.consume(this.#queues[at]!, true, 0);
    peers.scan(peer, {
      body: (buffer, start) => {
        this.#take(at, buffer.readUInt32BE(start), buffer.readUInt32BE(start + 4));
      },
    });
  }

  #take(at: number, token: number, hop: number): void {
    this.received++;
    if (hop !== this.#hops[token] || at !== this.#place(token, hop)) this.misrouted++;
    if (!this.#isStopped) this.#send(at, token);
  }

  /** Sends a token on from where it is. */
  #send(from: number, token: number): void {
    const hop = this.#hops[token]! + 1;
    this.#hops[token] = hop;
    const octets = Buffer.from(this.#publish);
    octets.write(String(this.#place(token, hop)).padStart(DIGITS, '0'), this.#digitsAt, 'latin1');
    const body = octets.length - 1 - BODY_BYTES;
    octets.writeUInt32BE(token, body);
    octets.writeUInt32BE(hop, body + 4);
    this.published++;
    this.#peers[from]!.socket.write(octets);
  }

  /** Where a token is on a hop. */
  #place(token: number, hop: number): number {
    const mixed = Math.imul(token * 0x1_0001 + hop, 0x9e37_79b1);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % this.#queues.length;
  }
}
