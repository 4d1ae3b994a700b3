import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { wireString } from './arbitraries.test.support.js';
import { fromWire, isUtf8, toWire } from './wire-string.js';

test('a wire string has one character for each UTF-8 byte of the text', () => {
  assert.equal(toWire('plain'), 'plain');
  assert.equal(toWire('Zoë'), 'Zo\u00c3\u00ab');
  assert.equal(toWire('🐇'), '\u00f0\u009f\u0090\u0087');
  assert.equal(toWire('\ud83d'), toWire('\ufffd'), 'a lone surrogate is replaced');
});

test('text comes back from its wire string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const wire = toWire(text);
      assert.equal(wire.length, Buffer.byteLength(text));
      assert.equal(fromWire(wire), text);
      assert.ok(isUtf8(wire));
    }),
  );
});

test('bytes that are not UTF-8 are told apart, and read as U+FFFD', () => {
  assert.equal(isUtf8('\u00ff'), false);
  assert.equal(isUtf8('Zo\u00c3'), false, 'a sequence cut short');
  assert.equal(isUtf8('\u00c0\u0080'), false, 'an overlong NUL');
  assert.equal(isUtf8(''), true);
  assert.equal(fromWire('a\u00ffb'), 'a\ufffdb');
});

test('isUtf8 is true exactly of what survives as text', () => {
  fc.assert(
    fc.property(wireString(20), (wire) => {
      assert.equal(isUtf8(wire), toWire(fromWire(wire)) === wire);
    }),
  );
});
