import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeBodyFrames,
  encodeContentHeaderFrame,
  encodeMethodFrame,
  FrameWriter,
  OUTPUT_BUFFER_BYTES,
} from '@leveret/amqp';
import fc from 'fast-check';
import { SlabAllocator } from '../../../store/slab.js';
import { type Content, contents, framesOf, passing } from '../content.test.support.js';
import { ContentWriter } from './delivery.js';

/** How a message is published and sent on. */
const circumstances = fc.record({
  content: contents(20_000),
  sizes: fc.array(fc.integer({ min: 1, max: 12_000 }), { maxLength: 6 }),
  channel: fc.integer({ min: 1, max: 0xffff }),
  frameMax: fc.constantFrom(4_096, 4_097, 8_192, 131_072),
  isKept: fc.boolean(),
  /** Output that is there already: the rest may not fit into the same buffer. */
  before: fc.constantFrom(0, 1, OUTPUT_BUFFER_BYTES - 100, OUTPUT_BUFFER_BYTES),
});

type Circumstances = typeof circumstances extends fc.Arbitrary<infer T> ? T : never;

/** The octets that a writer sends for a message. */
function written(
  { content, sizes, channel, frameMax, isKept, before }: Circumstances,
  write: (writer: ContentWriter, message: ReturnType<typeof passing>) => void,
): Buffer {
  const pieces: Buffer[] = [];
  const out = new FrameWriter(
    (buffer, length) => void pieces.push(Buffer.from(buffer.subarray(0, length))),
    () => Buffer.alloc(OUTPUT_BUFFER_BYTES, 0xee),
  );
  if (before > 0) out.append(Buffer.alloc(before, 0xaa));
  const message = passing(new SlabAllocator(), framesOf(3, content, sizes));
  const sent = isKept ? message.keep() : message;
  const source = Buffer.from(sent.buffer);
  write(new ContentWriter(out, channel, frameMax), sent);
  assert.ok(sent.buffer.equals(source), 'the message itself was changed');
  out.flush();
  return Buffer.concat(pieces).subarray(before);
}

/** The content as the table-driven codec writes it: body frames as they came, or cut anew. */
function contentFrames({ content, sizes, channel, frameMax }: Circumstances): Buffer[] {
  const frames = framesOf(channel, content, sizes).slice(1);
  if (frames.every((frame) => frame.length <= frameMax)) return frames;
  return [
    encodeContentHeaderFrame(channel, content.body.length, content.properties),
    ...encodeBodyFrames(channel, content.body, frameMax),
  ];
}

function address({ exchange, routingKey }: Content): { exchange: string; routingKey: string } {
  return { exchange, routingKey };
}

const tag = fc.string({ unit: 'binary-ascii', maxLength: 255 });
const deliveryTag = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1),
  fc.maxSafeNat(),
);

test('basic.deliver, octet for octet', () => {
  fc.assert(
    fc.property(
      circumstances,
      tag,
      deliveryTag,
      fc.boolean(),
      (each, consumerTag, n, redelivered) => {
        const bytes = written(each, (writer, message) => {
          writer.deliver(writer.deliverPrefix(consumerTag), n, redelivered, message);
        });
        const args = { consumerTag, deliveryTag: n, redelivered, ...address(each.content) };
        const method = encodeMethodFrame(each.channel, 'basic.deliver', args);
        assert.ok(bytes.equals(Buffer.concat([method, ...contentFrames(each)])));
      },
    ),
    { numRuns: 300 },
  );
});

test('basic.get-ok, octet for octet', () => {
  const messageCount = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(
      circumstances,
      deliveryTag,
      fc.boolean(),
      messageCount,
      (each, n, redelivered, count) => {
        const bytes = written(each, (writer, message) => {
          writer.getOk(n, redelivered, message, count);
        });
        const args = {
          deliveryTag: n,
          redelivered,
          messageCount: count,
          ...address(each.content),
        };
        const method = encodeMethodFrame(each.channel, 'basic.get-ok', args);
        assert.ok(bytes.equals(Buffer.concat([method, ...contentFrames(each)])));
      },
    ),
    { numRuns: 200 },
  );
});

test('basic.return, octet for octet', () => {
  fc.assert(
    fc.property(circumstances, fc.integer({ min: 200, max: 600 }), tag, (each, replyCode, text) => {
      const bytes = written(each, (writer, message) => {
        writer.returned(replyCode, text, message);
      });
      const args = { replyCode, replyText: text, ...address(each.content) };
      const method = encodeMethodFrame(each.channel, 'basic.return', args);
      assert.ok(bytes.equals(Buffer.concat([method, ...contentFrames(each)])));
    }),
    { numRuns: 200 },
  );
});

test('one prefix serves any number of deliveries', () => {
  const pieces: Buffer[] = [];
  const out = new FrameWriter(
    (buffer, length) => void pieces.push(Buffer.from(buffer.subarray(0, length))),
    () => Buffer.alloc(OUTPUT_BUFFER_BYTES),
  );
  const writer = new ContentWriter(out, 5, 4_096);
  const prefix = writer.deliverPrefix('consumer');
  const expected: Buffer[] = [];
  for (let i = 1; i <= 300; i++) {
    const content: Content = {
      exchange: '',
      routingKey: 'k'.repeat(i % 256),
      mandatory: false,
      immediate: false,
      properties: {},
      body: Buffer.alloc(i * 31, i),
    };
    writer.deliver(prefix, i, i % 2 === 0, passing(new SlabAllocator(), framesOf(1, content, [])));
    const args = { consumerTag: 'consumer', deliveryTag: i, redelivered: i % 2 === 0 };
    expected.push(
      encodeMethodFrame(5, 'basic.deliver', { ...args, ...address(content) }),
      encodeContentHeaderFrame(5, content.body.length, {}),
      ...encodeBodyFrames(5, content.body, 4_096),
    );
  }
  out.flush();
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat(expected)));
});
