import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FRAME_END, FRAME_OVERHEAD } from './constants.js';
import { EncodeError } from './errors.js';
import { encodeBodyFrames, encodeContentHeaderFrame, encodeMethodFrame } from './frame-encoder.js';

test('a method frame, byte for byte', () => {
  const frame = encodeMethodFrame(0x0102, 'basic.qos-ok', {});
  assert.equal(frame.toString('hex'), '01 0102 00000004 003c000b ce'.replaceAll(' ', ''));
});

test('a content header frame, byte for byte', () => {
  const frame = encodeContentHeaderFrame(1, 2 ** 33, { deliveryMode: 2 });
  assert.equal(
    frame.toString('hex'),
    '02 0001 0000000f 003c 0000 0000000200000000 1000 02 ce'.replaceAll(' ', ''),
  );
});

test('body frames fill up to frame-max and together are the body', () => {
  const sizes = fc.tuple(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 9, max: 300 }));
  fc.assert(
    fc.property(sizes, ([body, frameMax]) => {
      const frames = encodeBodyFrames(7, body, frameMax);
      assert.equal(frames.length, Math.ceil(body.length / (frameMax - FRAME_OVERHEAD)));
      for (const [i, frame] of frames.entries()) {
        assert.equal(frame[0], 3);
        assert.equal(frame.readUInt16BE(1), 7);
        assert.equal(frame.readUInt32BE(3), frame.length - FRAME_OVERHEAD);
        assert.equal(frame.at(-1), FRAME_END);
        if (i < frames.length - 1) assert.equal(frame.length, frameMax);
        assert.ok(frame.length <= frameMax);
      }
      const payloads = frames.map((frame) => frame.subarray(7, -1));
      assert.deepEqual(Buffer.concat(payloads), Buffer.from(body));
    }),
  );
});

test('a frame-max of 0 is no limit, and an empty body has no frames', () => {
  assert.equal(encodeBodyFrames(1, Buffer.alloc(1_000_000), 0).length, 1);
  assert.equal(encodeBodyFrames(1, Buffer.alloc(0), 0).length, 0);
  assert.equal(encodeBodyFrames(1, Buffer.alloc(0), 4096).length, 0);
});

test('a frame-max that leaves no room for a payload is an EncodeError', () => {
  assert.throws(() => encodeBodyFrames(1, Buffer.alloc(1), FRAME_OVERHEAD), EncodeError);
});
