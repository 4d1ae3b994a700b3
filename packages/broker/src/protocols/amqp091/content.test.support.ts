import assert from 'node:assert/strict';
import {
  type BasicProperties,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  FRAME_BODY,
  FRAME_END,
  FRAME_HEADER,
  FRAME_METHOD,
  FrameReader,
  type FrameSink,
} from '@leveret/amqp';
import fc from 'fast-check';
import { SlabAllocator } from '../../store/slab.js';
import type { AmqpMessage } from './amqp-message.js';
import { PublishAssembler } from './publishing/publish-assembler.js';

/** A message to be published. */
export interface Content {
  readonly exchange: string;
  readonly routingKey: string;
  readonly mandatory: boolean;
  readonly immediate: boolean;
  readonly properties: BasicProperties;
  readonly body: Buffer;
}

/** Text of any octets. */
function octets(maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
}

const properties: fc.Arbitrary<BasicProperties> = fc.record(
  {
    contentType: octets(20),
    headers: octets(20).map((value) => new Map([['h', { type: 'S', value } as const]])),
    deliveryMode: fc.constantFrom(1, 2),
    priority: fc.integer({ min: 0, max: 255 }),
    correlationId: octets(255),
    replyTo: octets(20),
    expiration: fc.nat().map(String),
    timestamp: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    userId: octets(20),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Messages of all sizes up to that of their body; keys that repeat, and keys that do not. */
export function contents(bodyBytesMax: number): fc.Arbitrary<Content> {
  const size = fc.oneof(fc.constant(0), fc.nat(40), fc.nat(bodyBytesMax));
  return fc.record(
    {
      exchange: fc.oneof(fc.constantFrom('', 'amq.topic'), octets(255)),
      routingKey: fc.oneof(fc.constantFrom('', 'k', 'q'), octets(255)),
      mandatory: fc.boolean(),
      immediate: fc.boolean(),
      properties,
      body: size.map((bytes) => Buffer.from(Array.from({ length: bytes }, (_, i) => i * 7))),
    },
    { noNullPrototype: true },
  );
}

/**
 * A content's frames: the method, the header, and body frames of these sizes, the last as needed.
 */
export function framesOf(channel: number, content: Content, sizes: readonly number[]): Buffer[] {
  const { exchange, routingKey, mandatory, immediate, body } = content;
  const frames = [
    encodeMethodFrame(channel, 'basic.publish', { exchange, routingKey, mandatory, immediate }),
    encodeContentHeaderFrame(channel, body.length, content.properties),
  ];
  let start = 0;
  for (const size of [...sizes, body.length]) {
    if (start === body.length) break;
    const piece = body.subarray(start, start + size);
    frames.push(bodyFrame(channel, piece));
    start += piece.length;
  }
  return frames;
}

function bodyFrame(channel: number, piece: Buffer): Buffer {
  const frame = Buffer.alloc(8 + piece.length, FRAME_END);
  frame[0] = FRAME_BODY;
  frame.writeUInt16BE(channel, 1);
  frame.writeUInt32BE(piece.length, 3);
  piece.copy(frame, 7);
  return frame;
}

/** Mixes the frames of several channels, each channel's in their order. */
export function interleave(lists: readonly Buffer[][], choices: readonly number[]): Buffer[] {
  const left = lists.map((frames) => [...frames]);
  const mixed: Buffer[] = [];
  for (let i = 0; left.some((frames) => frames.length > 0); i++) {
    const rest = left.filter((frames) => frames.length > 0);
    mixed.push(rest[(choices[i % choices.length] ?? 0) % rest.length]!.shift()!);
  }
  return mixed;
}

/** Puts publishes together, each channel its own, and calls `published` for each that is whole. */
export class Assembling implements FrameSink {
  readonly slabs: SlabAllocator;
  readonly #published: (channel: number, assembler: PublishAssembler) => void;
  readonly #assemblers = new Map<number, PublishAssembler>();
  readonly #reader = new FrameReader(this, 2 ** 30);

  constructor(
    published: (channel: number, assembler: PublishAssembler) => void,
    slabs: SlabAllocator = new SlabAllocator(),
  ) {
    this.#published = published;
    this.slabs = slabs;
  }

  push(chunk: Buffer): void {
    this.#reader.push(chunk);
    for (const assembler of this.#assemblers.values()) assembler.own();
  }

  frame(type: number, channel: number, buffer: Buffer, start: number, end: number): void {
    let assembler = this.#assemblers.get(channel);
    if (assembler === undefined) {
      assembler = new PublishAssembler(this.slabs);
      this.#assemblers.set(channel, assembler);
    }
    const names: Record<number, string> = { [FRAME_METHOD]: 'method', [FRAME_HEADER]: 'header' };
    assert.equal(assembler.awaited, names[type] ?? 'body');
    if (type === FRAME_METHOD) assembler.method(buffer, start, end);
    else if (type === FRAME_HEADER) assembler.contentHeader(buffer, start, end);
    else assembler.contentBody(buffer, start, end);
    if (assembler.awaited === 'method') this.#published(channel, assembler);
  }

  /** Lets go of what has come last, as a channel does after each publish. */
  letGo(): void {
    for (const assembler of this.#assemblers.values()) assembler.published();
  }

  frameFault(): void {
    assert.fail('a broken frame');
  }
}

/** A message as it passes through a channel. */
export function passing(slabs: SlabAllocator, frames: readonly Buffer[]): AmqpMessage {
  let message: AmqpMessage | undefined;
  const assembling = new Assembling((_channel, assembler) => {
    message = assembler.message;
  }, slabs);
  assembling.push(Buffer.concat(frames));
  assert.ok(message !== undefined, 'the frames are a whole message');
  return message;
}
