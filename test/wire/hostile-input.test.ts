import assert from 'node:assert/strict';
import { after, describe, type TestContext, test } from 'node:test';
import { brokerUnderTest } from '../conformance/broker-under-test.js';
import { deepTable } from '../conformance/differences.js';
import { encodeFrame, frameType, protocolHeader } from './frame.js';
import { RawConnection } from './raw-connection.js';
import {
  decodeMethod,
  encodeContentHeader,
  encodeMethod,
  shortString,
  unsigned,
} from './wire-codec.js';

const broker = await brokerUnderTest();

/**
 * A well-behaved connection alongside: after every attack it publishes to its queue and gets the
 * message back, and then a newcomer does.
 */
const bystander = await RawConnection.handshake(broker.port);
await bystander.openChannel(1);
const bystanderQueue = String(
  (await bystander.call(1, 'queue.declare', { queue: '', exclusive: true })).args.queue,
);

let rounds = 0;

async function othersGoOn(): Promise<void> {
  const body = `round ${++rounds}`;
  bystander.publish(1, { routingKey: bystanderQueue }, body);
  assert.deepEqual(await bystander.drain(1, bystanderQueue), [body]);
  const newcomer = await RawConnection.handshake(broker.port);
  await newcomer.openChannel(1);
  await newcomer.close();
}

/**
 * Expects the broker to give up on a connection: the socket ends, with at most one connection.close
 * before it, of a code that is for connections. What else came before is passed over.
 */
async function expectGivenUp(raw: RawConnection): Promise<void> {
  for (;;) {
    const frame = await raw.nextFrame().catch((error: Error) => {
      assert.match(error.message, /and the socket's end$/);
    });
    if (!frame) return;
    if (frame.type !== frameType.method) continue;
    const { name, args } = decodeMethod(frame.channel, frame.payload);
    if (name !== 'connection.close') continue;
    assert.ok([501, 502, 503, 504, 505, 541].includes(Number(args.replyCode)), String(args));
    raw.sendMethod(0, 'connection.close-ok');
    return;
  }
}

/** Levels of an array in an array, five bytes each. */
function nestedArrays(levels: number): Buffer {
  const bytes = Buffer.alloc(levels * 5);
  for (let level = 0; level < levels; level++) {
    bytes.write('A', level * 5);
    bytes.writeUInt32BE(bytes.length - (level + 1) * 5, level * 5 + 1);
  }
  return bytes;
}

/** Levels of a table in a table under an empty name, six bytes each. */
function nestedTables(levels: number): Buffer {
  const bytes = Buffer.alloc(levels * 6);
  for (let level = 0; level < levels; level++) {
    bytes.write('\0F', level * 6);
    bytes.writeUInt32BE(bytes.length - (level + 1) * 6, level * 6 + 2);
  }
  return bytes;
}

describe('hostile input', () => {
  after(() => bystander.close());

  describe('hostile handshakes leave others alone', () => {
    for (const [what, bytes] of [
      ['nothing', Buffer.alloc(0)],
      ['half a protocol header', protocolHeader.subarray(0, 5)],
      ['a protocol header alone', protocolHeader],
      ['a TLS hello', Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3])],
      ['random bytes', Buffer.from('f3a09c11d7e2bb4208', 'hex')],
      ['a mebibyte of zeros', Buffer.alloc(1024 * 1024)],
      [
        'half of start-ok',
        Buffer.concat([
          protocolHeader,
          encodeFrame(1, 0, encodeMethod('connection.start-ok', {})).subarray(0, 20),
        ]),
      ],
    ] as const) {
      test(`${what}, and the socket cut`, async () => {
        for (let count = 0; count < 20; count++) {
          const raw = await RawConnection.open(broker.port);
          raw.send(bytes);
          raw.destroy();
        }
        await othersGoOn();
      });
    }

    test('200 sockets that say nothing', async (t) => {
      for (let count = 0; count < 200; count++) await broker.socket(t);
      await othersGoOn();
    });

    test('client properties nested 600 levels deep', async (t) => {
      const raw = await broker.socket(t);
      raw.send(protocolHeader);
      await raw.expectMethod('connection.start', 0);
      raw.sendMethod(0, 'connection.start-ok', {
        clientProperties: nestedTables(600),
        mechanism: 'PLAIN',
        response: '\0guest\0guest',
      });
      if (broker.expected(deepTable) === 'accepted') await raw.expectMethod('connection.tune', 0);
      else await expectGivenUp(raw);
      await othersGoOn();
    });
  });

  describe('hostile frames are answered, and leave others alone', () => {
    const garbage: readonly (readonly [string, Buffer])[] = [
      ['text', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
      ['a kibibyte of 0xff', Buffer.alloc(1024, 0xff)],
      ['a kibibyte of 0xce', Buffer.alloc(1024, 0xce)],
      ['a frame that is all end', encodeFrame(0xce, 0xcece, Buffer.alloc(100, 0xce))],
      [
        'a frame cut short, then another',
        Buffer.concat([
          encodeFrame(frameType.method, 1, encodeMethod('tx.select')).subarray(0, 9),
          encodeFrame(frameType.method, 1, encodeMethod('tx.select')),
        ]),
      ],
      [
        'a frame longer than it says',
        encodeFrame(frameType.method, 1, Buffer.alloc(20), { size: 10 }),
      ],
      ['a frame of 4 GiB', Buffer.from([1, 0, 1, 0xff, 0xff, 0xff, 0xff])],
      ['a frame of 2 GiB', Buffer.from([3, 0, 1, 0x80, 0, 0, 0])],
      [
        'a short string beyond its frame',
        encodeFrame(1, 1, Buffer.from([0, 50, 0, 10, 0, 0, 255, 97])),
      ],
      [
        'a table beyond its frame',
        encodeFrame(
          1,
          1,
          Buffer.concat([Buffer.from([0, 50, 0, 10, 0, 0, 0, 0]), unsigned(4, 0xfffffff0)]),
        ),
      ],
      ['an unknown class', encodeFrame(1, 1, Buffer.from([0xff, 0xff, 0, 10]))],
      ['an unknown method', encodeFrame(1, 1, Buffer.from([0, 60, 0xff, 0xff]))],
      ['class 0, method 0', encodeFrame(1, 0, Buffer.alloc(4))],
      ['a body out of nowhere', encodeFrame(3, 1, Buffer.alloc(1000))],
      ['a content header out of nowhere', encodeFrame(2, 1, encodeContentHeader(10, {}))],
      [
        'properties beyond their frame',
        Buffer.concat([
          encodeFrame(1, 1, encodeMethod('basic.publish')),
          encodeFrame(
            2,
            1,
            Buffer.concat([encodeContentHeader(0, {}).subarray(0, 12), Buffer.of(0xff, 0xfc)]),
          ),
        ]),
      ],
      [
        'headers beyond their frame',
        Buffer.concat([
          encodeFrame(1, 1, encodeMethod('basic.publish')),
          encodeFrame(
            2,
            1,
            Buffer.concat([
              encodeContentHeader(0, {}).subarray(0, 12),
              Buffer.of(0x20, 0),
              unsigned(4, 0xffffffff),
            ]),
          ),
        ]),
      ],
    ];
    for (const [what, bytes] of garbage) {
      test(what, async (t) => {
        const raw = await broker.rawChannel(t);
        raw.send(bytes);
        await expectGivenUp(raw);
        await othersGoOn();
      });

      test(`${what}, byte by byte, then the socket cut`, async (t) => {
        const raw = await broker.rawChannel(t);
        for (const byte of bytes.subarray(0, 300)) raw.send(Buffer.of(byte));
        raw.destroy();
        await othersGoOn();
      });
    }

    for (const [what, table] of [
      ['arrays', Buffer.concat([shortString('a'), nestedArrays(1000)])],
      ['tables', nestedTables(1000)],
      ['arrays, a frame full of them,', Buffer.concat([shortString('a'), nestedArrays(26_000)])],
      ['tables, a frame full of them,', nestedTables(21_000)],
    ] as const) {
      test(`nested ${what} as arguments`, async (t) => {
        const raw = await broker.rawChannel(t);
        raw.sendMethod(1, 'queue.declare', { queue: '', exclusive: true, arguments: table });
        if (broker.expected(deepTable) === 'accepted')
          await raw.expectMethod('queue.declare-ok', 1);
        else await expectGivenUp(raw);
        await othersGoOn();
      });

      test(`nested ${what} as headers, read by a headers exchange`, async (t) => {
        const raw = await broker.rawChannel(t);
        const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
        const queue = String(args.queue);
        await raw.call(1, 'queue.bind', { queue, exchange: 'amq.headers', arguments: { a: null } });
        raw.publish(1, { exchange: 'amq.headers' }, 'deep', { headers: table });
        if (broker.expected(deepTable) === 'accepted') await raw.expectNothing(1);
        else await expectGivenUp(raw);
        await othersGoOn();
      });

      test(`nested ${what} as the arguments of a binding`, {
        skip: broker.isRabbit ? 'a binding nested 20,000 levels deep ends a RabbitMQ node' : false,
      }, async (t) => {
        const raw = await broker.rawChannel(t);
        const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
        const queue = String(args.queue);
        raw.sendMethod(1, 'queue.bind', { queue, exchange: 'amq.headers', arguments: table });
        await expectGivenUp(raw);
        await othersGoOn();
      });
    }
  });

  describe('greedy clients leave others alone', () => {
    test('all channels at once, and the socket cut', async (t) => {
      const raw = await broker.raw(t);
      for (let channel = 1; channel <= 2047; channel++) raw.sendMethod(channel, 'channel.open');
      const open = new Set<number>();
      while (open.size < 2047) {
        const { name, channel } = await raw.nextMethod();
        assert.equal(name, 'channel.open-ok');
        open.add(channel);
      }
      raw.destroy();
      await othersGoOn();
    });

    test('a body of 2^64 - 1 bytes announced', async (t) => {
      const raw = await broker.rawChannel(t);
      raw.sendMethod(1, 'basic.publish', { routingKey: 'nowhere' });
      raw.send(encodeFrame(frameType.header, 1, encodeContentHeader(0xffffffffffffffffn, {})));
      raw.send(encodeFrame(frameType.body, 1, Buffer.alloc(1000)));
      await othersGoOn();
    });

    test('requests whose answers are never read', async (t) => {
      const raw = await broker.rawChannel(t);
      raw.pause(true);
      const request = encodeFrame(
        frameType.method,
        1,
        encodeMethod('channel.flow', { active: true }),
      );
      const many = Buffer.concat(Array.from({ length: 2000 }, () => request));
      for (let count = 0; count < 100; count++) raw.send(many);
      await othersGoOn();
      raw.destroy();
      await othersGoOn();
    });

    test('deliveries that are never read', async (t) => {
      const raw = await broker.rawChannel(t);
      const { args } = await raw.call(1, 'queue.declare', { queue: '', exclusive: true });
      const queue = String(args.queue);
      await raw.call(1, 'basic.consume', { queue, noAck: true });
      raw.pause(true);
      const body = Buffer.alloc(100_000);
      for (let count = 0; count < 300; count++) bystander.publish(1, { routingKey: queue }, body);
      await othersGoOn();
      raw.destroy();
      await othersGoOn();
    });

    test('a flood of heartbeats', async (t) => {
      const raw = await broker.rawChannel(t);
      const heartbeat = encodeFrame(frameType.heartbeat, 0);
      raw.send(Buffer.concat(Array.from({ length: 100_000 }, () => heartbeat)));
      await raw.expectNothing(1);
      await othersGoOn();
    });

    test('channels that fail over and over', async (t) => {
      const raw = await broker.raw(t);
      for (let count = 0; count < 500; count++) {
        await raw.openChannel(1);
        raw.publish(1, { exchange: 'missing' }, 'lost');
        await raw.expectMethod('channel.close', 1);
        raw.sendMethod(1, 'channel.close-ok');
      }
      await othersGoOn();
    });

    test('messages cut off at every byte', async (t) => {
      const { args } = await bystander.call(1, 'queue.declare', { queue: '', exclusive: true });
      const stream = publishStream(String(args.queue));
      for (let end = 0; end < stream.length; end += 3) await cutAfter(t, stream.subarray(0, end));
      await othersGoOn();
      assert.deepEqual(await bystander.drain(1, String(args.queue)), []);
    });
  });
});

function publishStream(queue: string): Buffer {
  return Buffer.concat([
    encodeFrame(1, 1, encodeMethod('basic.publish', { routingKey: queue })),
    encodeFrame(2, 1, encodeContentHeader(4, { contentType: 'text/plain' })),
    encodeFrame(3, 1, Buffer.from('body')),
  ]);
}

async function cutAfter(t: TestContext, bytes: Uint8Array): Promise<void> {
  const raw = await broker.rawChannel(t);
  raw.send(bytes);
  raw.destroy();
}
