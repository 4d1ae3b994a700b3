import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REPLY_CODES, replyName } from './constants.js';
import { AmqpError, channelError, connectionError } from './errors.js';
import { encodeMethod } from './method-codec.js';
import { toWire } from './wire-string.js';

test('the reply text begins with the name of the code', () => {
  const error = channelError(REPLY_CODES.NOT_FOUND, "no queue 'q' in vhost '/'");
  assert.ok(error instanceof AmqpError && error instanceof Error);
  assert.equal(error.scope, 'channel');
  assert.equal(error.message, error.replyText);
  assert.deepEqual(error.closeArguments(), {
    replyCode: 404,
    replyText: "NOT_FOUND - no queue 'q' in vhost '/'",
    classId: 0,
    methodId: 0,
  });
});

test('an empty text leaves the name alone', () => {
  const error = connectionError(REPLY_CODES.COMMAND_INVALID, '', { classId: 10, methodId: 40 });
  assert.equal(error.scope, 'connection');
  assert.equal(error.replyText, 'COMMAND_INVALID');
  assert.equal(error.classId, 10);
  assert.equal(error.methodId, 40);
});

test('a long text is kept whole in the error and cut where it is sent', () => {
  const error = channelError(REPLY_CODES.NOT_FOUND, 'x'.repeat(400));
  assert.equal(error.replyText.length, 'NOT_FOUND - '.length + 400);
  const { replyText } = error.closeArguments();
  assert.equal(replyText.length, 255);
  assert.equal(replyText, `${error.replyText.slice(0, 252)}...`);
  assert.ok(encodeMethod('channel.close', error.closeArguments()));
});

test('a text that just fits is not cut', () => {
  const text = 'x'.repeat(255 - 'NOT_FOUND - '.length);
  assert.equal(
    channelError(REPLY_CODES.NOT_FOUND, text).closeArguments().replyText,
    `NOT_FOUND - ${text}`,
  );
});

test('a text is not cut in the middle of a character', () => {
  for (const character of ['é', '€', '🐇']) {
    for (let padding = 0; padding < 4; padding++) {
      const text = toWire('x'.repeat(padding) + character.repeat(300));
      const { replyText } = channelError(REPLY_CODES.NOT_FOUND, text).closeArguments();
      const bytes = Buffer.from(replyText, 'latin1');
      assert.ok(bytes.length > 251 && bytes.length <= 255);
      assert.ok(replyText.endsWith('...'));
      assert.ok(!bytes.toString('utf8').includes('\ufffd'), character);
    }
  }
});

test('codes have names', () => {
  assert.equal(replyName(405), 'RESOURCE_LOCKED');
  assert.equal(replyName(999), 'UNKNOWN');
});
