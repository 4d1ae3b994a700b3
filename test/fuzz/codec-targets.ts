import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import {
  type BasicProperties,
  ContentHeader,
  DecodeError,
  decodeMethod,
  decodeProperties,
  decodeTable,
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethod,
  encodeMethodFrame,
  encodeProperties,
  encodeTable,
  type FieldTable,
  FrameReader,
  UnknownMethodError,
} from '@leveret/amqp';
import { encodeFrame, frameType } from '../wire/frame.js';
import { SeededRandom } from '../wire/seeded-random.js';
import { encodeMethod as wireMethod } from '../wire/wire-codec.js';
import { mutateFrames, mutateOctets } from './mutation.js';
import type { Target } from './target.js';

const TABLE: FieldTable = new Map([
  ['t', { type: 't', value: true }],
  [
    'numbers',
    {
      type: 'A',
      value: [
        { type: 'b', value: -1 },
        { type: 'u', value: 65_535 },
      ],
    },
  ],
  ['nested', { type: 'F', value: new Map([['CC', { type: 'S', value: 'x' }]]) }],
  ['D', { type: 'D', value: { scale: 2, value: 314 } }],
  ['big', { type: 'l', value: -(2n ** 63n) }],
  ['when', { type: 'T', value: 2n ** 64n - 1n }],
  ['f', { type: 'f', value: 0.5 }],
  ['d', { type: 'd', value: Number.NaN }],
  ['x', { type: 'x', value: Buffer.from([0, 255]) }],
  ['V', { type: 'V', value: null }],
]);

const PROPERTIES: BasicProperties = {
  contentType: 'text/plain',
  headers: TABLE,
  deliveryMode: 2,
  priority: 9,
  replyTo: 'amq.rabbitmq.reply-to',
  expiration: '1000',
  messageId: 'm',
  timestamp: 1n,
  userId: 'guest',
  clusterId: '',
};

/** The largest payload that the frame target lets in: small, so that frames are too large often. */
const PAYLOAD_BYTES_MAX = 600;

/** A stream is the same frames however it is cut into chunks, held back or resumed. */
export const frames: Target = {
  name: 'frames',
  round: 12_000,
  seeds: [
    encodeMethodFrame(0, 'connection.close-ok', {}),
    Buffer.concat([
      encodeFrame(frameType.method, 1, wireMethod('basic.publish', { routingKey: 'q' })),
      encodeContentHeaderFrame(1, 20, PROPERTIES),
      ...encodeBodyFrames(1, Buffer.alloc(20, 'x'), 20),
    ]),
  ],
  mutate: mutateFrames,
  run: each((input) => {
    const whole = framesOf(input, () => input.length, false);
    const random = new SeededRandom(input.length * 31 + (input.at(-1) ?? 0));
    const pieces = framesOf(input, () => 1 + random.below(12), true);
    assert.deepEqual(pieces, whole);
  }),
};

/** What a reader finds in chunks of these sizes, as text. */
function framesOf(input: Buffer, nextSize: () => number, holds: boolean): string[] {
  const found: string[] = [];
  let repeated = false;
  const reader: FrameReader = new FrameReader(
    {
      frame: (type, channel, buffer, start, end) => {
        const isHeld = holds && (end - start) % 3 === 0;
        repeated = isHeld && !repeated;
        if (isHeld) reader.hold(repeated);
        if (!repeated) found.push(`${type} ${channel} ${buffer.toString('latin1', start, end)}`);
      },
      frameFault: (fault) => found.push(JSON.stringify(fault)),
    },
    PAYLOAD_BYTES_MAX,
  );
  for (let at = 0; at < input.length; ) {
    const next = Math.min(input.length, at + nextSize());
    reader.push(input.subarray(at, next));
    at = next;
    if (holds && at % 2 === 0) reader.resume();
  }
  // Each frame may be held twice.
  if (holds) for (let left = 2 * input.length; left >= 0; left -= 8) reader.resume();
  return found;
}

/** A table decoded and encoded and decoded is the same; octets that are none are a DecodeError. */
export const tables: Target = {
  name: 'tables',
  round: 16_000,
  seeds: [encodeTable(new Map()).subarray(4), encodeTable(TABLE).subarray(4)],
  mutate: mutateOctets,
  run: each((content) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    const octets = Buffer.concat([length, content]);
    const table = decoded(() => decodeTable(octets, 0, octets.length));
    if (table === undefined) return;
    const encoded = encodeTable(table);
    const again = decodeTable(encoded, 0, encoded.length);
    assert.ok(encodeTable(again).equals(encoded));
    assert.ok(isDeepStrictEqual(again, table));
  }),
};

const header = new ContentHeader();

/** What is read of a header in passing is what decoding it finds, and both refuse the same. */
export const headers: Target = {
  name: 'headers',
  round: 12_000,
  seeds: [{}, { deliveryMode: 2 }, PROPERTIES].map((properties) =>
    encodeContentHeaderFrame(1, 5, properties).subarray(7, -1),
  ),
  mutate: mutateOctets,
  run: each((octets) => {
    const end = octets.length;
    const isHeader = decoded(() => header.read(octets, 0, end) ?? true) !== undefined;
    const properties = end < 12 ? undefined : decoded(() => decodeProperties(octets, 12, end));
    assert.equal(isHeader, properties !== undefined, 'both take it, or neither');
    if (properties === undefined) return;
    assert.equal(header.deliveryMode, properties.deliveryMode ?? -1);
    assert.equal(header.priority, properties.priority ?? -1);
    assert.equal(header.headersStart >= 0, properties.headers !== undefined);
    assert.equal(header.replyToStart >= 0, properties.replyTo !== undefined);
    const named = properties.headers?.has('CC') || properties.headers?.has('BCC');
    assert.equal(header.hasSenderSelected, named ?? false);
    const encoded = encodeProperties(properties);
    assert.ok(isDeepStrictEqual(decodeProperties(encoded, 0, encoded.length), properties));
  }),
};

/** A method decoded and encoded and decoded is the same. */
export const methods: Target = {
  name: 'methods',
  round: 12_000,
  seeds: [
    wireMethod('queue.declare', { queue: 'q', arguments: encodeTable(TABLE).subarray(4) }),
    wireMethod('basic.publish', { exchange: 'x', routingKey: 'k', mandatory: true }),
    wireMethod('basic.consume', { queue: 'q', consumerTag: 'c', noAck: true }),
    wireMethod('basic.ack', { deliveryTag: 1, multiple: true }),
    wireMethod('connection.open', { virtualHost: '/' }),
    wireMethod('connection.tune', { channelMax: 1, frameMax: 4096, heartbeat: 1 }),
  ],
  mutate: mutateOctets,
  run: each((octets) => {
    const method = decoded(() => decodeMethod(octets, 0, octets.length));
    if (method === undefined) return;
    // A number above 2^53 is only near to what was sent.
    const { deliveryTag = 0 } = method.args as { readonly deliveryTag?: number };
    if (!Number.isSafeInteger(deliveryTag)) return;
    // The name and the arguments are those of one method.
    const encoded = encodeMethod(method.name, method.args as never);
    assert.ok(isDeepStrictEqual(decodeMethod(encoded, 0, encoded.length), method));
  }),
};

/** The result, or undefined if the octets are refused as they may be. */
function decoded<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError || error instanceof UnknownMethodError) return undefined;
    throw error;
  }
}

function each(check: (input: Buffer) => void): (inputs: readonly Buffer[]) => void {
  return (inputs) => inputs.forEach(check);
}
