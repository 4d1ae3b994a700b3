import {
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  type MethodInput,
} from '@leveret/amqp';
import { SilentPeer } from './silent-peer.js';

const CHUNK_BYTES = 65_536;
const FRAME_MAX = 131_072;
const QUEUE = 'queue';

/** Messages on their way through a broker, a chunk off the publisher's socket at a time. */
export interface Work {
  readonly messagesAChunk: number;
  readonly confirms: number;
  next(): void;
  /** Whether everything published has been delivered, and confirmed where that was asked for. */
  isDone(): boolean;
}

/** What serves a peer: a broker in this process, or one that is reached over a socket. */
export interface Host {
  accept(peer: SilentPeer): void;
}

export interface Workload {
  /** Whether it needs a disk. */
  readonly durable: boolean;
  begin(host: Host): Work;
}

interface Kind {
  readonly durable: boolean;
  readonly bodyBytes: number;
  readonly acks: 'none' | 'each' | 'multiple';
}

/** The rows of the benchmark that most messages are like. */
export const WORKLOADS: Readonly<Record<string, Workload>> = {
  'auto-ack': workloadOf({ durable: false, bodyBytes: 16, acks: 'none' }),
  'ack-each': workloadOf({ durable: false, bodyBytes: 16, acks: 'each' }),
  confirmed: workloadOf({ durable: true, bodyBytes: 1_024, acks: 'multiple' }),
};

function workloadOf(kind: Kind): Workload {
  return { durable: kind.durable, begin: (host) => begin(host, kind) };
}

function begin(host: Host, { durable, bodyBytes, acks }: Kind): Work {
  const publisher = connect(host);
  const flags = { passive: false, durable, exclusive: false, autoDelete: false, nowait: true };
  publisher.say(1, 'queue.declare', { queue: QUEUE, ...flags, arguments: new Map() });
  if (durable) publisher.say(1, 'confirm.select', { nowait: true });
  const consumer = connect(host);
  // Either connection may have its turn first.
  consumer.say(1, 'queue.declare', { queue: QUEUE, ...flags, arguments: new Map() });
  const noAck = acks === 'none';
  const how = { noLocal: false, noAck, exclusive: false, nowait: true, consumerTag: 'c' };
  consumer.say(1, 'basic.consume', { queue: QUEUE, ...how, arguments: new Map() });

  const publish = encodePublish(bodyBytes, durable);
  const messagesAChunk = Math.floor(CHUNK_BYTES / publish.length);
  const chunk = Buffer.concat(Array.from({ length: messagesAChunk }, () => publish));
  const answers = acks === 'none' ? undefined : new Acks(acks === 'each' ? messagesAChunk : 1);
  let published = 0;
  let chunks = 0;
  return {
    messagesAChunk,
    get confirms() {
      return publisher.confirms;
    },
    next: () => {
      if (answers !== undefined && published > 0) {
        consumer.push(answers.upTo(published));
      }
      publisher.push(chunk);
      published += messagesAChunk;
      chunks++;
    },
    isDone: () => consumer.deliveries >= published && (!durable || publisher.confirms >= chunks),
  };
}

function connect(host: Host): SilentPeer {
  const peer = new SilentPeer();
  host.accept(peer);
  peer.greet();
  return peer;
}

function encodePublish(bodyBytes: number, persistent: boolean): Buffer {
  const args = { exchange: '', routingKey: QUEUE, mandatory: false, immediate: false };
  return Buffer.concat([
    encodeMethodFrame(1, 'basic.publish', args),
    encodeContentHeaderFrame(1, bodyBytes, persistent ? { deliveryMode: 2 } : {}),
    ...encodeBodyFrames(1, Buffer.alloc(bodyBytes, 'x'), FRAME_MAX),
  ]);
}

/** So many acks at a time, encoded once. */
class Acks {
  readonly #octets: Buffer;
  readonly #frameBytes: number;
  readonly #count: number;

  constructor(count: number) {
    const args: MethodInput<'basic.ack'> = { deliveryTag: 0, multiple: count === 1 };
    const ack = encodeMethodFrame(1, 'basic.ack', args);
    this.#octets = Buffer.concat(Array.from({ length: count }, () => ack));
    this.#frameBytes = ack.length;
    this.#count = count;
  }

  upTo(deliveryTag: number): Buffer {
    // Frame header, class and method, and the upper half of the tag come before.
    for (let at = 0; at < this.#count; at++) {
      const tagAt = at * this.#frameBytes + 15;
      this.#octets.writeUInt32BE(deliveryTag - this.#count + 1 + at, tagAt);
    }
    // A copy: a socket may not have taken it yet when the next ones are asked for.
    return Buffer.from(this.#octets);
  }
}
