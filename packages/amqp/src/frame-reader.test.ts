import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME_END, FRAME_OVERHEAD } from './constants.js';
import { type FrameFault, FrameReader, type FrameSink } from './frame-reader.js';

interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** Keeps what a reader finds; the payloads are copied, as the chunks of a test may change. */
class Collector implements FrameSink {
  readonly frames: Frame[] = [];
  readonly whole: Buffer[] = [];
  readonly faults: FrameFault[] = [];
  onFrame: (frame: Frame) => void = () => {};

  frame(type: number, channel: number, buffer: Buffer, start: number, end: number): void {
    const frame = { type, channel, payload: Buffer.from(buffer.subarray(start, end)) };
    this.frames.push(frame);
    this.whole.push(Buffer.from(buffer.subarray(start - 7, end + 1)));
    this.onFrame(frame);
  }

  frameFault(fault: FrameFault): void {
    this.faults.push(fault);
  }
}

function encode({ type, channel, payload }: Frame): Buffer {
  const bytes = Buffer.alloc(payload.length + FRAME_OVERHEAD, FRAME_END);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt16BE(channel, 1);
  bytes.writeUInt32BE(payload.length, 3);
  payload.copy(bytes, 7);
  return bytes;
}

function header(type: number, channel: number, size: number): Buffer {
  return encode({ type, channel, payload: Buffer.alloc(0) })
    .fill(size, 6, 7)
    .subarray(0, 7);
}

/** Cuts bytes at places given as fractions of their length; two equal ones make an empty chunk. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = fractions.map((each) => Math.floor(each * (bytes.length + 1)));
  const bounds = [0, ...places.sort((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, i) => Buffer.from(bytes.subarray(bounds[i], end)));
}

const octet = fc.integer({ min: 0, max: 255 });
const payload: fc.Arbitrary<Buffer> = fc
  .oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 3000 }))
  .map((bytes) => Buffer.from(bytes));
const frame: fc.Arbitrary<Frame> = fc
  .tuple(octet, fc.integer({ min: 0, max: 0xffff }), payload)
  .map(([type, channel, bytes]) => ({ type, channel, payload: bytes }));
const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 });

test('a stream gives the same frames however it is cut into chunks', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fractions, (frames, places) => {
      const collector = new Collector();
      const reader = new FrameReader(collector, 3000);
      for (const chunk of cut(Buffer.concat(frames.map(encode)), places)) reader.push(chunk);
      assert.deepEqual(collector.frames, frames);
      assert.deepEqual(collector.whole, frames.map(encode), 'header and end octet lie around it');
      assert.deepEqual(collector.faults, []);
    }),
    { numRuns: 400 },
  );
});

test('a stream that comes octet by octet', () => {
  const frames = [0, 1, 2, 9, 300].map((size, i) => ({
    type: i,
    channel: 0x0102 * i,
    payload: Buffer.alloc(size, 0xce),
  }));
  const collector = new Collector();
  const reader = new FrameReader(collector, 300);
  const bytes = Buffer.concat(frames.map(encode));
  for (let i = 0; i < bytes.length; i++) reader.push(Buffer.from(bytes.subarray(i, i + 1)));
  assert.deepEqual(collector.frames, frames);
});

test('a frame that lies whole in a chunk is not copied', () => {
  const chunk = Buffer.concat([frameOf('first'), frameOf('second')]);
  const buffers: Buffer[] = [];
  const reader = new FrameReader(
    { frame: (_type, _channel, buffer) => void buffers.push(buffer), frameFault: () => {} },
    100,
  );
  reader.push(chunk);
  assert.equal(buffers.length, 2);
  assert.ok(buffers.every((buffer) => buffer === chunk));
});

test('a payload of the largest size passes; one octet more is refused with the header alone', () => {
  const collector = new Collector();
  const reader = new FrameReader(collector, 200);
  reader.push(encode({ type: 3, channel: 1, payload: Buffer.alloc(200) }));
  assert.equal(collector.frames.length, 1);
  reader.push(header(3, 1, 201));
  assert.deepEqual(collector.faults, [{ kind: 'too-large', type: 3, payloadBytes: 201 }]);
});

test('a size is refused as soon as its last octet is there, wherever the header is cut', () => {
  for (let place = 0; place <= 6; place++) {
    const collector = new Collector();
    const reader = new FrameReader(collector, 200);
    const bytes = Buffer.from([1, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    reader.push(bytes.subarray(0, place));
    assert.deepEqual(collector.faults, []);
    reader.push(bytes.subarray(place));
    const fault = { kind: 'too-large', type: 1, payloadBytes: 0xffffffff };
    assert.deepEqual(collector.faults, [fault], `cut after ${place}`);
  }
});

test('the largest size may change between frames, and in the middle of a header', () => {
  const collector = new Collector();
  const reader = new FrameReader(collector, 10);
  const bytes = encode({ type: 1, channel: 0, payload: Buffer.alloc(50) });
  reader.push(frameOf('small'));
  reader.push(bytes.subarray(0, 5));
  reader.payloadBytesMax = 50;
  reader.push(bytes.subarray(5));
  assert.deepEqual(collector.faults, []);
  assert.equal(collector.frames.length, 2);
});

test('a wrong end octet is a fault that shows the payload, whole or in pieces', () => {
  const bytes = frameOf('abc');
  bytes[bytes.length - 1] = 0xcd;
  for (let place = 0; place < bytes.length; place++) {
    const collector = new Collector();
    const reader = new FrameReader(collector, 100);
    reader.push(Buffer.concat([frameOf('good'), bytes.subarray(0, place)]));
    reader.push(Buffer.concat([bytes.subarray(place), frameOf('never read')]));
    assert.equal(collector.frames.length, 1);
    const payload = Buffer.from('abc');
    assert.deepEqual(collector.faults, [{ kind: 'bad-end', type: 1, payload, end: 0xcd }]);
    reader.push(frameOf('never read either'));
    assert.equal(collector.frames.length, 1);
    assert.equal(collector.faults.length, 1);
  }
});

test('after stop() nothing more comes, neither of this chunk nor of what was begun', () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 1 }), fractions, fc.nat(), (frames, places, n) => {
      const last = n % frames.length;
      const collector = new Collector();
      const reader = new FrameReader(collector, 3000);
      collector.onFrame = () => {
        if (collector.frames.length === last + 1) reader.stop();
      };
      for (const chunk of cut(Buffer.concat(frames.map(encode)), places)) reader.push(chunk);
      reader.push(Buffer.from([1, 0]));
      assert.deepEqual(collector.frames, frames.slice(0, last + 1));
      assert.deepEqual(collector.faults, []);
    }),
  );
});

test('held, it finds nothing until it is resumed, and then goes on where it stopped', () => {
  const holds = fc.array(fc.record({ at: fc.nat(5), again: fc.boolean() }), { maxLength: 5 });
  const resumes = fc.array(fc.boolean(), { minLength: 1, maxLength: 21 });
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 12 }),
      fractions,
      holds,
      resumes,
      (frames, places, wanted, mayResume) => {
        const collector = new Collector();
        const reader = new FrameReader(collector, 3000);
        let isHeld = false;
        collector.onFrame = () => {
          assert.equal(isHeld, false, 'a frame came while it was held');
          const hold = wanted.find(({ at }) => at === collector.frames.length - 1);
          if (hold === undefined) return;
          isHeld = true;
          reader.hold(hold.again);
          // What is not done comes again, and only the second time counts.
          if (hold.again) collector.frames.pop();
          if (hold.again) collector.whole.pop();
          wanted.splice(wanted.indexOf(hold), 1);
        };
        const resume = (): void => {
          isHeld = false;
          reader.resume();
        };
        for (const [i, chunk] of cut(Buffer.concat(frames.map(encode)), places).entries()) {
          reader.push(chunk);
          if (isHeld && mayResume[i % mayResume.length]) resume();
        }
        while (isHeld) resume();
        assert.deepEqual(collector.frames, frames);
        assert.deepEqual(collector.whole, frames.map(encode));
      },
    ),
    { numRuns: 500 },
  );
});

test('stopped while it is held, it keeps nothing, and finds nothing when resumed', () => {
  const collector = new Collector();
  const reader = new FrameReader(collector, 100);
  collector.onFrame = () => reader.hold(false);
  reader.push(Buffer.concat([frameOf('abc'), frameOf('def')]));
  reader.stop();
  const before = process.memoryUsage().arrayBuffers;
  const chunk = Buffer.alloc(100_000);
  for (let i = 0; i < 100; i++) reader.push(chunk);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000, 'chunks pile up');
  reader.resume();
  reader.push(frameOf('ghi'));
  assert.equal(collector.frames.length, 1);
});

test('stop() between chunks drops the frame that was begun', () => {
  const collector = new Collector();
  const reader = new FrameReader(collector, 100);
  reader.push(frameOf('abc').subarray(0, 9));
  reader.stop();
  reader.push(frameOf('abc').subarray(9));
  reader.push(frameOf('def'));
  assert.deepEqual(collector.frames, []);
});

test('memory is taken for octets that came, not for those that were announced', () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers: FrameReader[] = [];
  for (let i = 0; i < 200; i++) {
    const reader = new FrameReader(new Collector(), 134_217_728);
    reader.push(Buffer.from([3, 0, 1, 0x08, 0, 0, 0]));
    for (let j = 0; j < 10; j++) reader.push(Buffer.alloc(100));
    readers.push(reader);
  }
  const heldBytes = process.memoryUsage().arrayBuffers - before;
  assert.equal(readers.length, 200);
  assert.ok(heldBytes < 4_000_000, `200 frames of which 1,007 octets came: ${heldBytes} octets`);
});

test('a chunk may be used again once the frames that lay in it are done with', () => {
  const collector = new Collector();
  const reader = new FrameReader(collector, 100);
  const bytes = frameOf('abcdef');
  const chunk = Buffer.alloc(4);
  for (let at = 0; at < bytes.length; at += 4) {
    const length = bytes.copy(chunk, 0, at);
    reader.push(chunk.subarray(0, length));
    chunk.fill(0);
  }
  assert.deepEqual(collector.whole, [bytes]);
});

function frameOf(text: string): Buffer {
  return encode({ type: 1, channel: 7, payload: Buffer.from(text) });
}
