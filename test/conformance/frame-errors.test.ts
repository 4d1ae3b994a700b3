import { describe, test } from 'node:test';
import { encodeFrame, frameType } from '../wire/frame.js';
import { connectionClose, type ExpectedClose } from '../wire/raw-connection.js';
import { encodeContentHeader, encodeMethod } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';
import { undecodableProperties } from './differences.js';

const broker = await brokerUnderTest();

const method = (channel: number, name: string): Buffer =>
  encodeFrame(frameType.method, channel, encodeMethod(name));
const header = (bytes: number): Buffer =>
  encodeFrame(frameType.header, 1, encodeContentHeader(bytes, {}));
const body = (bytes: number): Buffer => encodeFrame(frameType.body, 1, Buffer.alloc(bytes));

/** Connection exceptions by the frames that cause them; channel 1 is open. */
const wrongFrames: readonly (readonly [string, readonly Buffer[], ExpectedClose])[] = [
  [
    'a frame of unknown type on channel 0',
    [encodeFrame(7, 0)],
    connectionClose(501, 'type 7, all octets = <<>>: unknown_frame'),
  ],
  [
    'a frame of unknown type on channel 1',
    [encodeFrame(7, 1)],
    connectionClose(501, 'type 7, all octets = <<>>: unknown_frame'),
  ],
  [
    'a frame with another end',
    [encodeFrame(frameType.method, 1, encodeMethod('tx.select'), { end: 0xcd })],
    connectionClose(501, 'type 1, all octets = <<0,90,0,10>>: {invalid_frame_end_marker,205}'),
  ],
  [
    'a content header on channel 0',
    [encodeFrame(frameType.header, 0, encodeContentHeader(0, {}))],
    connectionClose(505, 'type 2, all octets = <<0,60,0,0,0,0,0,0,0,0,0,0,0,0>>'),
  ],
  [
    'a body on channel 0',
    [encodeFrame(frameType.body, 0, Buffer.from([1, 2]))],
    connectionClose(505, 'type 3, all octets = <<1,2>>'),
  ],
  [
    'a content header without a method',
    [header(0)],
    connectionClose(505, 'expected method frame, got non method frame instead'),
  ],
  [
    'a body without a method',
    [body(1)],
    connectionClose(505, 'expected method frame, got non method frame instead'),
  ],
  [
    'a method where a content header is due',
    [method(1, 'basic.publish'), method(1, 'tx.select')],
    connectionClose(
      505,
      'expected content header for class 60, got non content header frame instead',
      'basic.publish',
    ),
  ],
  [
    'a body where a content header is due',
    [method(1, 'basic.publish'), body(1)],
    connectionClose(
      505,
      'expected content header for class 60, got non content header frame instead',
      'basic.publish',
    ),
  ],
  [
    'a content header of another class',
    [
      method(1, 'basic.publish'),
      encodeFrame(
        frameType.header,
        1,
        Buffer.concat([Buffer.from([0, 50]), encodeContentHeader(0, {}).subarray(2)]),
      ),
    ],
    connectionClose(
      505,
      'expected content header for class 60, got one for class 50 instead',
      'basic.publish',
    ),
  ],
  [
    'a method where a body is due',
    [method(1, 'basic.publish'), header(1), method(1, 'tx.select')],
    connectionClose(
      505,
      'expected content body, got non content body frame instead',
      'basic.publish',
    ),
  ],
  [
    'a second content header',
    [method(1, 'basic.publish'), header(1), header(1)],
    connectionClose(
      505,
      'expected content body, got non content body frame instead',
      'basic.publish',
    ),
  ],
  [
    'a method that cannot be decoded',
    [encodeFrame(frameType.method, 1, Buffer.from([0, 50, 0, 10, 0]))],
    connectionClose(501, 'cannot decode <<0>>', 'queue.declare'),
  ],
  [
    'a method with bytes left over',
    [encodeFrame(frameType.method, 1, Buffer.from([0, 90, 0, 10, 1, 2]))],
    connectionClose(501, 'cannot decode <<1,2>>', 'tx.select'),
  ],
  [
    'properties that cannot be decoded',
    [
      method(1, 'basic.publish'),
      encodeFrame(
        frameType.header,
        1,
        // content-type is announced, and is not there
        Buffer.concat([encodeContentHeader(0, {}).subarray(0, 12), Buffer.from([0x80, 0])]),
      ),
    ],
    broker.expected(undecodableProperties),
  ],
  [
    'channel.open on channel 0',
    [method(0, 'channel.open')],
    connectionClose(504, 'unexpected method in connection state running', 'channel.open'),
  ],
  [
    'basic.publish on channel 0',
    [method(0, 'basic.publish')],
    connectionClose(504, 'unexpected method in connection state running', 'basic.publish'),
  ],
  [
    'connection.close on channel 1',
    [method(1, 'connection.close')],
    connectionClose(503, 'unimplemented method', 'connection.close'),
  ],
  [
    "a method that is the broker's to send",
    [method(1, 'basic.deliver'), header(0)],
    connectionClose(503, 'unimplemented method', 'basic.deliver'),
  ],
  [
    "an -ok that is the broker's",
    [method(1, 'queue.declare-ok')],
    connectionClose(503, 'unimplemented method', 'queue.declare-ok'),
  ],
  [
    'channel.flow-ok',
    [method(1, 'channel.flow-ok')],
    connectionClose(503, 'unimplemented method', 'channel.flow-ok'),
  ],
  [
    'channel.open twice',
    [method(1, 'channel.open')],
    connectionClose(504, "second 'channel.open' seen", 'channel.open'),
  ],
  [
    'a method on a channel that is not open',
    [method(2, 'tx.select')],
    connectionClose(504, "expected 'channel.open'", 'tx.select'),
  ],
  [
    'a content header on a channel that is not open',
    [encodeFrame(frameType.header, 2, encodeContentHeader(0, {}))],
    connectionClose(505, 'expected method frame, got non method frame instead'),
  ],
  [
    'a method frame without a method',
    [encodeFrame(frameType.method, 1)],
    connectionClose(501, 'type 1, all octets = <<>>: unknown_frame'),
  ],
  [
    'a method frame too short for its ids',
    [encodeFrame(frameType.method, 1, Buffer.from([0, 50, 0]))],
    connectionClose(501, 'type 1, all octets = <<0,50,0>>: unknown_frame'),
  ],
  [
    'a content header too short for its size',
    [method(1, 'basic.publish'), encodeFrame(frameType.header, 1, Buffer.from([0, 60, 0, 0]))],
    connectionClose(501, 'type 2, all octets = <<0,60,0,0>>: unknown_frame'),
  ],
  [
    'a content header too short for its property flags',
    [
      method(1, 'basic.publish'),
      encodeFrame(frameType.header, 1, encodeContentHeader(0, {}).subarray(0, 12)),
    ],
    broker.expected(undecodableProperties),
  ],
  [
    'bytes behind the properties',
    [
      method(1, 'basic.publish'),
      encodeFrame(frameType.header, 1, Buffer.concat([encodeContentHeader(0, {}), Buffer.of(0)])),
    ],
    broker.expected(undecodableProperties),
  ],
  [
    'a content header with a weight',
    [
      method(1, 'basic.publish'),
      encodeFrame(
        frameType.header,
        1,
        Buffer.concat([Buffer.from([0, 60, 0, 1]), encodeContentHeader(0, {}).subarray(4)]),
      ),
    ],
    connectionClose(
      505,
      'expected content header for class 60, got non content header frame instead',
      'basic.publish',
    ),
  ],
  [
    'a body behind an empty message',
    [method(1, 'basic.publish'), header(0), body(0)],
    connectionClose(505, 'expected method frame, got non method frame instead'),
  ],
  [
    'a heartbeat with a payload',
    [encodeFrame(frameType.heartbeat, 0, Buffer.from('x'))],
    connectionClose(501, 'type 8, all octets = <<"x">>: unknown_frame'),
  ],
  [
    'a frame announced with 4 GiB',
    [Buffer.from([frameType.method, 0, 1, 0xff, 0xff, 0xff, 0xff])],
    connectionClose(501, 'type 1, all octets = <<>>: {frame_too_large,4294967295,131064}'),
  ],
  [
    'another protocol header',
    [Buffer.from('AMQP\x00\x00\x09\x01', 'latin1')],
    connectionClose(501, 'type 65, all octets = <<>>: {frame_too_large,1342177289,131064}'),
  ],
  [
    'connection.start-ok once more',
    [method(0, 'connection.start-ok')],
    connectionClose(504, 'unexpected method in connection state running', 'connection.start-ok'),
  ],
  [
    'connection.tune-ok once more',
    [method(0, 'connection.tune-ok')],
    connectionClose(504, 'unexpected method in connection state running', 'connection.tune-ok'),
  ],
  [
    'connection.close-ok that nobody asked for',
    [method(0, 'connection.close-ok')],
    connectionClose(504, 'unexpected method in connection state running', 'connection.close-ok'),
  ],
  [
    'channel.close-ok that nobody asked for',
    [method(1, 'channel.close-ok')],
    connectionClose(503, 'unimplemented method', 'channel.close-ok'),
  ],
  [
    'channel.open-ok',
    [method(1, 'channel.open-ok')],
    connectionClose(503, 'unimplemented method', 'channel.open-ok'),
  ],
  [
    'channel.close on a channel that is not open',
    [method(2, 'channel.close')],
    connectionClose(504, "expected 'channel.open'", 'channel.close'),
  ],
  [
    'channel.close-ok on a channel that is not open',
    [method(2, 'channel.close-ok')],
    connectionClose(504, "expected 'channel.open'", 'channel.close-ok'),
  ],
  [
    'a heartbeat on a channel that is not open',
    [encodeFrame(frameType.heartbeat, 2)],
    connectionClose(505, 'type 8, all octets = <<>>'),
  ],
  [
    'a consumer tag that is not UTF-8',
    [
      encodeFrame(
        frameType.method,
        1,
        encodeMethod('basic.consume', { queue: 'q', consumerTag: Buffer.of(0xff) }),
      ),
    ],
    connectionClose(501, 'Malformed UTF-8 in shortstr'),
  ],
];

describe('frame errors close the connection', { concurrency: true }, () => {
  for (const [what, frames, expected] of wrongFrames) {
    test(`${what}: ${expected.code}`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.send(Buffer.concat(frames));
      await raw.expectClose(0, expected);
    });
  }

  for (const [what, ids] of [
    ['class', [0, 99, 0, 10]],
    ['method', [0, 50, 0, 99]],
  ] as const) {
    test(`an unknown ${what} id: the socket is closed without a word`, async (t) => {
      const raw = await broker.rawChannel(t);
      raw.send(encodeFrame(frameType.method, 1, Buffer.from(ids)));
      await raw.expectEnd();
    });
  }
});
