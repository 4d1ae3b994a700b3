import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameWriter, OUTPUT_BUFFER_BYTES } from './frame-writer.js';

/** A writer, what it wrote out, and how many buffers it asked for. */
function newWriter(): { writer: FrameWriter; written: Buffer[]; taken: () => number } {
  const written: Buffer[] = [];
  let taken = 0;
  const writer = new FrameWriter(
    (buffer, length) => void written.push(Buffer.from(buffer.subarray(0, length))),
    () => {
      taken++;
      return Buffer.alloc(OUTPUT_BUFFER_BYTES, 0xee);
    },
  );
  return { writer, written, taken: () => taken };
}

function fill(writer: FrameWriter, octet: number, bytes: number): void {
  const offset = writer.reserve(bytes);
  assert.ok(offset + bytes <= writer.buffer.length, 'the room is there');
  writer.buffer.fill(octet, offset, offset + bytes);
}

type Step = { readonly kind: 'fill' | 'append' | 'flush'; readonly bytes: number };

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 20_000, max: 40_000 }),
  fc.constantFrom(OUTPUT_BUFFER_BYTES - 1, OUTPUT_BUFFER_BYTES, OUTPUT_BUFFER_BYTES + 1),
  fc.integer({ min: OUTPUT_BUFFER_BYTES, max: 200_000 }),
);
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('fill', 'append', 'flush'),
  bytes: sizes,
});

test('what was written comes out, in order, whatever the sizes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { writer, written } = newWriter();
      const expected: Buffer[] = [];
      for (const [i, { kind, bytes }] of steps.entries()) {
        if (kind === 'flush') {
          writer.flush();
          assert.equal(writer.length, 0);
          continue;
        }
        const octet = i + 1;
        if (kind === 'fill') fill(writer, octet, bytes);
        else writer.append(Buffer.alloc(bytes, octet));
        expected.push(Buffer.alloc(bytes, octet));
      }
      writer.flush();
      assert.ok(Buffer.concat(written).equals(Buffer.concat(expected)));
      assert.ok(
        written.every((each) => each.length > 0),
        'nothing is written of length 0',
      );
    }),
  );
});

test('output is gathered until it is flushed, and length tells how much', () => {
  const { writer, written } = newWriter();
  fill(writer, 1, 1000);
  writer.append(Buffer.alloc(24, 2));
  assert.equal(writer.length, 1024);
  assert.deepEqual(written, []);
  writer.flush();
  assert.equal(writer.length, 0);
  assert.equal(written.length, 1);
  writer.flush();
  assert.equal(written.length, 1, 'a flush without output writes nothing');
});

test('a buffer is filled to its last octet before it is written out', () => {
  const { writer, written, taken } = newWriter();
  fill(writer, 1, OUTPUT_BUFFER_BYTES - 1);
  fill(writer, 2, 1);
  assert.equal(written.length, 0);
  fill(writer, 3, 1);
  assert.equal(written.length, 1);
  assert.equal(written[0]?.length, OUTPUT_BUFFER_BYTES);
  assert.equal(taken(), 2);
});

test('a writer that holds nothing holds no buffer', () => {
  const { writer, taken } = newWriter();
  assert.equal(taken(), 0);
  assert.equal(writer.buffer.length, 0);
  fill(writer, 1, 10);
  writer.flush();
  assert.equal(writer.buffer.length, 0);
  assert.equal(taken(), 1);
});

test('what is larger than a buffer gets one of its own, of its size, in one write', () => {
  const { writer, written, taken } = newWriter();
  fill(writer, 1, 10);
  fill(writer, 2, 5 * OUTPUT_BUFFER_BYTES);
  assert.equal(taken(), 1, 'the large one is not asked for');
  assert.equal(written.length, 1);
  fill(writer, 3, 1);
  assert.deepEqual(
    written.map((each) => each.length),
    [10, 5 * OUTPUT_BUFFER_BYTES],
  );
});

test('the buffer is the taker’s: what is written later goes into another', () => {
  const buffers: Buffer[] = [];
  const writer = new FrameWriter(
    (buffer) => void buffers.push(buffer),
    () => Buffer.alloc(OUTPUT_BUFFER_BYTES),
  );
  for (let octet = 1; octet <= 3; octet++) {
    fill(writer, octet, 8);
    writer.flush();
  }
  assert.deepEqual(
    buffers.map((buffer) => buffer[0]),
    [1, 2, 3],
  );
  assert.equal(new Set(buffers).size, 3);
});

test('output that arises while output is written out follows it', () => {
  const written: Buffer[] = [];
  let answers = 1;
  const writer: FrameWriter = new FrameWriter(
    (buffer, length) => {
      written.push(Buffer.from(buffer.subarray(0, length)));
      if (answers-- > 0) writer.append(Buffer.alloc(5, 2));
    },
    () => Buffer.alloc(OUTPUT_BUFFER_BYTES),
  );
  fill(writer, 1, 5);
  writer.flush();
  writer.flush();
  assert.deepEqual(Buffer.concat(written), Buffer.from([1, 1, 1, 1, 1, 2, 2, 2, 2, 2]));
});
