import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMethodFrame } from '@leveret/amqp';
import { FrameScanner } from './frame-scanner.js';
import { encodePublish, PublishCycle } from './publish-cycle.js';

/** Everything a scanner tells, as text. */
function scan(chunks: readonly Buffer[]): string[] {
  const told: string[] = [];
  const scanner = new FrameScanner({
    deliver: (tag, redelivered, buffer, at) => {
      const consumerTag = buffer.toString('latin1', at + 1, at + 1 + buffer[at]!);
      told.push(`deliver ${tag} ${redelivered} to ${consumerTag}`);
    },
    body: (buffer, start, end) => told.push(`body ${buffer.toString('latin1', start, end)}`),
    confirm: (tag, multiple, isNack) => told.push(`confirm ${tag} ${multiple} ${isNack}`),
    closed: () => told.push('closed'),
  });
  for (const chunk of chunks) scanner.take(chunk);
  return told;
}

function delivery(consumerTag: string, deliveryTag: number, redelivered: boolean): Buffer {
  const args = { consumerTag, deliveryTag, redelivered, exchange: 'e', routingKey: 'k' };
  const content = encodePublish(
    { exchange: '', routingKey: '', properties: { messageId: 'm' } },
    Buffer.from(`of ${deliveryTag}`),
  );
  const publishBytes = 8 + content.readUInt32BE(3);
  return Buffer.concat([
    encodeMethodFrame(1, 'basic.deliver', args),
    content.subarray(publishBytes),
  ]);
}

const STREAM = Buffer.concat([
  delivery('c', 1, false),
  delivery('0123', 70_000, true),
  encodeMethodFrame(1, 'basic.ack', { deliveryTag: 9, multiple: true }),
  encodeMethodFrame(1, 'basic.nack', { deliveryTag: 10, multiple: false, requeue: false }),
]);

const TOLD = [
  'deliver 1 false to c',
  'body of 1',
  'deliver 70000 true to 0123',
  'body of 70000',
  'confirm 9 true false',
  'confirm 10 false true',
];

test('tells of deliveries, bodies and confirms, however the stream is cut', () => {
  assert.deepEqual(scan([STREAM]), TOLD);
  for (let at = 1; at < STREAM.length; at++) {
    assert.deepEqual(scan([STREAM.subarray(0, at), STREAM.subarray(at)]), TOLD, `cut at ${at}`);
  }
});

test('what the broker closes ends the measurement', () => {
  const reason = { replyCode: 404, replyText: 'NOT_FOUND', classId: 60, methodId: 40 };
  const close = encodeMethodFrame(1, 'channel.close', reason);
  assert.throws(() => scan([close]), /the broker closed: 404 NOT_FOUND/);
});

test('a cycle numbers each stream from 0, and publishes no more than it is asked to', () => {
  const list = [4, 9].map((stream) => {
    return { exchange: '', routingKey: `${stream}`, properties: {}, stream };
  });
  const cycle = new PublishCycle(list, 16);
  const bodies: string[] = [];
  const scanner = new FrameScanner({
    body: (buffer, start) => {
      bodies.push(`${buffer.readUInt32BE(start)}:${buffer.readUInt32BE(start + 4)}`);
    },
  });
  for (const limit of [1, 1, 3, 100_000]) {
    const before = cycle.published;
    scanner.take(cycle.take(limit));
    assert.ok(cycle.published > before && cycle.published <= before + limit);
  }
  assert.equal(bodies.length, cycle.published);
  assert.deepEqual(bodies.slice(0, 5), ['4:0', '9:0', '4:1', '9:1', '4:2']);
  assert.equal(cycle.publishedTo(4) + cycle.publishedTo(9), cycle.published);
});

test('tells that the broker agrees to the end', () => {
  assert.deepEqual(scan([encodeMethodFrame(0, 'connection.close-ok', {})]), ['closed']);
});
