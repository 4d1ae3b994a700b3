import { encodeFrame, frameType, protocolHeader } from '../wire/frame.js';
import type { SeededRandom } from '../wire/seeded-random.js';
import {
  type ArgumentInfo,
  encodeContentHeader,
  encodeMethod,
  longString,
  methodInfos,
  shortString,
  unsigned,
  type WireArgument,
  type WireArguments,
} from '../wire/wire-codec.js';

/** What one hostile connection sends. */
export interface FuzzStream {
  readonly bytes: Buffer;
  /** Frames in it, before its mutation. */
  readonly frames: number;
  /** Whether the bytes were changed after they were encoded. */
  readonly isMutated: boolean;
}

/** Names few enough that the connections meet on the same queues and exchanges. */
export const fuzzQueues: readonly string[] = ['fuzz-q0', 'fuzz-q1', 'fuzz-q2', 'fuzz-q3'];
export const fuzzExchanges: readonly string[] = ['fuzz-x0', 'fuzz-x1', 'fuzz-x2'];
const queueNames = [...fuzzQueues, ''];
const exchangeNames = ['', ...fuzzExchanges, 'amq.topic', 'amq.headers', 'missing'];
const exchangeTypes = ['direct', 'fanout', 'topic', 'headers', 'nonsense'];
const routingKeys = ['', 'a', 'a.b', 'a.b.c', '#', '*.b', 'a.#', ...queueNames];
const consumerTags = ['', 'c0', 'c1', 'c2'];
const argumentNames = [
  'x-match',
  'x-max-priority',
  'x-message-ttl',
  'x-expires',
  'x-priority',
  'x-overflow',
  'x-queue-type',
  'alternate-exchange',
  'x-dead-letter-exchange',
  'CC',
  'BCC',
  'a',
  '',
];

/** Methods that lead somewhere, the more often named the more often used. */
const usefulMethods = [
  'basic.publish',
  'basic.publish',
  'basic.publish',
  'basic.publish',
  'basic.get',
  'basic.get',
  'basic.consume',
  'basic.ack',
  'basic.ack',
  'basic.nack',
  'basic.reject',
  'basic.qos',
  'basic.cancel',
  'basic.recover',
  'queue.declare',
  'queue.declare',
  'queue.bind',
  'queue.unbind',
  'queue.purge',
  'queue.delete',
  'exchange.declare',
  'exchange.bind',
  'exchange.unbind',
  'exchange.delete',
  'tx.commit',
  'tx.rollback',
  'channel.flow',
] as const;
const allMethods = [...methodInfos.keys()];

/**
 * Builds a connection's stream: a handshake, channels, then frames. Half of the streams are
 * careful: they hold nothing that ends a connection, so that they get far into what a broker can be
 * made to do.
 */
export function fuzzStream(random: SeededRandom): FuzzStream {
  const frames: Buffer[] = [];
  const count = 20 + random.below(180);
  const isCareful = random.percent(50);
  while (frames.length < count) {
    const kind = isCareful ? random.below(85) : random.below(100);
    if (kind < 85) frames.push(...operation(random, isCareful, random.pick(usefulMethods)));
    else if (kind < 88) frames.push(...operation(random, false, random.pick(allMethods)));
    else if (kind < 91) frames.push(randomFrame(random));
    else frames.push(...reopening(random));
  }
  const opening = handshake();
  const isMutated = !isCareful && random.percent(70);
  const mutatesHandshake = isMutated && random.percent(2);
  const body = Buffer.concat(frames);
  const bytes = mutatesHandshake
    ? mutate(random, Buffer.concat([opening, body]))
    : Buffer.concat([opening, isMutated ? mutate(random, body) : body]);
  return { bytes, frames: frames.length + openingFrames, isMutated };
}

const openChannels = Array.from({ length: 16 }, (_, index) => index + 1);
const transactionChannels = openChannels.slice(0, 4);
const confirmChannels = openChannels.slice(4, 8);
const lastChannel = openChannels.length;
const openingFrames = 3 + openChannels.length + 8 + 7;

/**
 * All that a client says up to open channels, without waiting for the answers, and declarations of
 * what another stream may have deleted.
 */
function handshake(): Buffer {
  const method = (channel: number, name: string, args: WireArguments = {}): Buffer =>
    encodeFrame(frameType.method, channel, encodeMethod(name, args));
  return Buffer.concat([
    protocolHeader,
    method(0, 'connection.start-ok', {
      clientProperties: { capabilities: { consumer_cancel_notify: true } },
      mechanism: 'PLAIN',
      response: '\0guest\0guest',
    }),
    method(0, 'connection.tune-ok', { channelMax: 2047, frameMax: 131072 }),
    method(0, 'connection.open', { virtualHost: '/' }),
    ...openChannels.map((channel) => method(channel, 'channel.open')),
    ...transactionChannels.map((channel) => method(channel, 'tx.select')),
    ...confirmChannels.map((channel) => method(channel, 'confirm.select')),
    ...fuzzQueues.map((queue) => method(lastChannel, 'queue.declare', { queue, nowait: true })),
    ...fuzzExchanges.map((exchange) =>
      method(lastChannel, 'exchange.declare', { exchange, type: 'topic', nowait: true }),
    ),
  ]);
}

/** A channel closed and opened again at once, whatever state it is in. */
function reopening(random: SeededRandom): Buffer[] {
  const channel = random.pick(openChannels);
  const names = random.pick([
    ['channel.close', 'channel.open'],
    ['channel.close', 'channel.close-ok', 'channel.open'],
    ['channel.close-ok', 'channel.open'],
  ]);
  return names.map((name) => encodeFrame(frameType.method, channel, encodeMethod(name)));
}

/** The frames of one method, with content behind a publish, mostly. */
function operation(random: SeededRandom, isCareful: boolean, name: string): Buffer[] {
  const channels = name.startsWith('tx.') ? transactionChannels : openChannels;
  const channel = isCareful || random.percent(97) ? random.pick(channels) : random.below(20);
  const args: Record<string, WireArgument> = {};
  for (const info of methodInfos.get(name)!.args) {
    args[info.name] =
      isCareful || random.percent(95) ? careful(random, name, info) : argument(random, name, info);
  }
  const frames = [encodeFrame(frameType.method, channel, encodeMethod(name, args))];
  if (name !== 'basic.publish' || (!isCareful && random.percent(2))) return frames;
  const body = random.bytes(random.pick([0, 1, 10, 100, 1000]));
  const announced = isCareful || random.percent(98) ? body.length : random.below(4000);
  const header = encodeContentHeader(announced, properties(random, isCareful));
  frames.push(encodeFrame(frameType.header, channel, header));
  const half = random.percent(20) ? random.below(body.length + 1) : body.length;
  for (const piece of [body.subarray(0, half), body.subarray(half)]) {
    if (piece.length > 0) frames.push(encodeFrame(frameType.body, channel, piece));
  }
  return frames;
}

/** A value that ends no connection, and a channel but seldom. */
function careful(random: SeededRandom, method: string, info: ArgumentInfo): WireArgument {
  switch (info.name) {
    case 'immediate':
      return false;
    case 'requeue':
      return method.startsWith('basic.recover') || random.percent(70);
    case 'active':
      return true;
    case 'prefetchSize':
      return 0;
    case 'consumerTag':
      return method === 'basic.consume' ? '' : random.pick(consumerTags);
    case 'deliveryTag':
      return random.percent(90) && method !== 'basic.reject' ? 0 : 1 + random.below(3);
    case 'multiple':
      return random.percent(99);
    case 'queue':
      return random.pick(queueNames.slice(0, -1));
    case 'exchange':
      return random.pick(exchangeNames.slice(method === 'basic.publish' ? 0 : 1, 6));
    case 'source':
    case 'destination':
      return random.pick(exchangeNames.slice(1, 6));
    case 'type':
      return 'topic';
    case 'durable':
    case 'autoDelete':
    case 'internal':
    case 'exclusive':
      return random.percent(1);
    case 'arguments':
      return random.percent(90) ? {} : table(random, 2, true);
    default:
      return info.type === 'shortstr' ? random.pick(routingKeys) : argument(random, method, info);
  }
}

/** Any value of the argument's type. */
function argument(random: SeededRandom, method: string, info: ArgumentInfo): WireArgument {
  switch (info.type) {
    case 'bit':
      return random.percent(30);
    case 'octet':
      return random.below(256);
    case 'short':
      return random.percent(80) ? random.below(10) : random.below(65536);
    case 'long':
      return random.bits();
    case 'longlong':
    case 'timestamp':
      return random.percent(90) ? random.below(12) : BigInt(random.bits()) * 0xffffffffn;
    case 'shortstr':
      return word(random, method, info.name);
    case 'longstr':
      return random.bytes(random.below(50));
    default:
      return random.percent(50) ? {} : table(random, 3, false);
  }
}

function word(random: SeededRandom, method: string, argumentName: string): string | Buffer {
  if (random.percent(2)) return random.bytes(random.below(256));
  if (random.percent(2)) return 'w'.repeat(random.below(256));
  switch (argumentName) {
    case 'queue':
      return random.pick(queueNames);
    case 'exchange':
    case 'source':
    case 'destination':
      return random.pick(method === 'basic.publish' ? exchangeNames.slice(0, -1) : exchangeNames);
    case 'type':
      return random.pick(exchangeTypes);
    case 'consumerTag':
      return random.pick(consumerTags);
    default:
      return random.pick(routingKeys);
  }
}

/** The content of a table, as bytes, with values of every type. */
function table(random: SeededRandom, levels: number, isCareful: boolean): Buffer {
  const entries: Buffer[] = [];
  for (let count = random.below(4); count > 0; count--) {
    entries.push(shortString(random.pick(argumentNames)), fieldValue(random, levels, isCareful));
  }
  return !isCareful && random.percent(3)
    ? mutate(random, Buffer.concat(entries))
    : Buffer.concat(entries);
}

/** A field of a table, with a name and a value of any type. */
export function fieldEntry(random: SeededRandom): Buffer {
  return Buffer.concat([shortString(random.pick(argumentNames)), fieldValue(random, 2, false)]);
}

function fieldValue(random: SeededRandom, levels: number, isCareful: boolean): Buffer {
  const type = random.pick([...'tbBsuIilfdDSAxTVF', ...'SSII']);
  const tag = Buffer.from(type);
  switch (type) {
    case 'V':
      return tag;
    case 'S':
    case 'x': {
      const text = random.pick(['all', 'any', 'drop-head', 'fuzz-x0', 'a', 'classic', '']);
      return Buffer.concat([tag, longString(random.percent(90) ? text : random.bytes(20))]);
    }
    case 'A': {
      const values: Buffer[] = [];
      for (let count = levels > 0 ? random.below(3) : 0; count > 0; count--) {
        values.push(fieldValue(random, levels - 1, isCareful));
      }
      return Buffer.concat([tag, longString(Buffer.concat(values))]);
    }
    case 'F':
      return Buffer.concat([
        tag,
        longString(levels > 0 ? table(random, levels - 1, isCareful) : Buffer.alloc(0)),
      ]);
    case 'D':
      return Buffer.concat([tag, random.bytes(5)]);
    default: {
      const width = fixedWidths[type] ?? 1;
      const value = random.percent(70) ? random.below(20) : random.below(256 ** Math.min(width, 4));
      return Buffer.concat([tag, unsigned(width, value)]);
    }
  }
}

const fixedWidths: Readonly<Record<string, 1 | 2 | 4 | 8>> = {
  t: 1,
  b: 1,
  B: 1,
  s: 2,
  u: 2,
  I: 4,
  i: 4,
  f: 4,
  l: 8,
  d: 8,
  T: 8,
};

function properties(random: SeededRandom, isCareful: boolean): WireArguments {
  const some: Record<string, WireArgument> = {};
  if (random.percent(30)) some.headers = table(random, 3, isCareful);
  if (random.percent(30)) some.deliveryMode = random.percent(95) ? 1 + random.below(2) : 7;
  if (random.percent(30)) some.priority = random.below(256);
  if (random.percent(10)) some.expiration = random.pick(['0', '1', '60000', 'soon', '-1', '']);
  if (random.percent(10)) some.replyTo = random.pick(['somewhere', 'amq.rabbitmq.reply-to']);
  if (random.percent(10)) some.correlationId = random.bytes(random.below(256));
  if (random.percent(5)) some.userId = random.pick(['guest', 'guest', 'nobody']);
  if (random.percent(10)) some.timestamp = random.bits();
  return some;
}

/** A frame of any type, or of a real one, around random bytes. */
function randomFrame(random: SeededRandom): Buffer {
  const type = random.percent(80) ? random.pick([1, 2, 3, 8]) : random.below(256);
  const payload = random.bytes(random.below(40));
  if (type === frameType.method && random.percent(70) && payload.length >= 4) {
    const info = methodInfos.get(random.pick(allMethods))!;
    payload.writeUInt16BE(info.classId, 0);
    payload.writeUInt16BE(info.methodId, 2);
  }
  return encodeFrame(type, random.pick([0, ...openChannels, random.below(65536)]), payload, {
    ...(random.percent(5) ? { end: random.below(256) } : {}),
    ...(random.percent(5) ? { size: random.pick([random.below(100), random.bits()]) } : {}),
  });
}

/** Changes bytes here and there: flips, overwrites, cuts, repeats, inserts, and a shorter end. */
function mutate(random: SeededRandom, bytes: Buffer): Buffer {
  let mutated = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0 && mutated.length > 0; count--) {
    const at = random.below(mutated.length);
    const to = Math.min(mutated.length, at + 1 + random.below(20));
    switch (random.below(6)) {
      case 0:
        mutated[at] = mutated[at]! ^ (1 << random.below(8));
        break;
      case 1:
        mutated[at] = random.pick([0, 1, 0x7f, 0x80, 0xce, 0xff]);
        break;
      case 2:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(to)]);
        break;
      case 3:
        mutated = Buffer.concat([mutated.subarray(0, to), mutated.subarray(at)]);
        break;
      case 4: {
        const inserted = random.bytes(1 + random.below(20));
        mutated = Buffer.concat([mutated.subarray(0, at), inserted, mutated.subarray(at)]);
        break;
      }
      default:
        if (random.percent(20)) mutated = Buffer.from(mutated.subarray(0, at));
    }
  }
  return mutated;
}
