import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError, encodeMethodFrame } from '@leveret/amqp';
import fc from 'fast-check';
import { SlabAllocator } from '../../../store/slab.js';
import type { AmqpMessage } from '../amqp-message.js';
import {
  Assembling,
  type Content,
  contents,
  framesOf,
  interleave,
} from '../content.test.support.js';
import { PublishAssembler } from './publish-assembler.js';

const EMPTY: Content = {
  exchange: '',
  routingKey: 'k',
  mandatory: false,
  immediate: false,
  properties: {},
  body: Buffer.alloc(0),
};

/** What a content has to look like once it is put together. */
function expectedFacts(channel: number, content: Content): unknown {
  const { exchange, routingKey, body, properties } = content;
  const { deliveryMode, priority = 0, expiration, userId, replyTo } = properties;
  return {
    channel,
    ...content,
    address: [exchange, routingKey],
    body: body.toString('hex'),
    bodyBytes: body.length,
    persistent: deliveryMode === 2,
    priority,
    expiration,
    userId,
    replyTo,
  };
}

function factsOf(channel: number, assembler: PublishAssembler): unknown {
  const { message, mandatory, immediate, expiration, userId, replyTo } = assembler;
  return { ...messageFacts(channel, message), mandatory, immediate, expiration, userId, replyTo };
}

function messageFacts(channel: number, message: AmqpMessage): object {
  return {
    channel,
    exchange: message.exchange,
    routingKey: message.routingKey,
    address: addressOf(message),
    properties: message.properties(),
    body: message.body().toString('hex'),
    bodyBytes: message.bodyBytes,
    persistent: message.persistent,
    priority: message.priority,
  };
}

/** Exchange and routing key as they will go out to consumers. */
function addressOf({ buffer, addressStart, addressEnd }: AmqpMessage): string[] {
  const address = buffer.toString('latin1', addressStart, addressEnd);
  const exchangeEnd = 1 + address.charCodeAt(0);
  assert.equal(address.charCodeAt(exchangeEnd), address.length - exchangeEnd - 1);
  return [address.slice(1, exchangeEnd), address.slice(exchangeEnd + 1)];
}

/** Cuts octets into chunks at places given as fractions of their length. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = fractions.map((each) => Math.floor(each * bytes.length)).sort((a, b) => a - b);
  const bounds = [0, ...places, bytes.length];
  return bounds.slice(1).map((end, i) => Buffer.from(bytes.subarray(bounds[i], end)));
}

const publish = fc.record({ content: contents(6_000), sizes: fc.array(fc.nat(3_000)) });

test('messages are the same however they are cut, chunked and mixed with other channels', () => {
  const fraction = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.array(publish, { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 40 }),
      fc.array(fraction, { maxLength: 12 }),
      (channels, choices, places) => {
        const found: unknown[] = [];
        const kept: { channel: number; message: AmqpMessage }[] = [];
        const assembling = new Assembling((channel, assembler) => {
          found.push(factsOf(channel, assembler));
          const message = assembler.message.keep();
          message.retain();
          kept.push({ channel, message });
        });
        const lists = channels.map((publishes, i) =>
          publishes.flatMap(({ content, sizes }) => framesOf(i + 1, content, sizes)),
        );
        const chunks = cut(Buffer.concat(interleave(lists, choices)), places);
        for (const chunk of chunks) {
          assembling.push(chunk);
          chunk.fill(0);
        }

        const of = (channel: number): ((each: unknown) => boolean) => {
          return (each) => (each as { channel: number }).channel === channel;
        };
        for (const [i, publishes] of channels.entries()) {
          const expected = publishes.map(({ content }) => expectedFacts(i + 1, content));
          assert.deepEqual(found.filter(of(i + 1)), expected);
        }
        // What was kept is its own, whatever has become of the chunks.
        for (const [i, { channel, message }] of kept.entries()) {
          assert.deepEqual(
            { ...(found[i] as object), ...messageFacts(channel, message) },
            found[i],
          );
        }
        for (const { message } of kept) message.release();
        assembling.letGo();
        assert.equal(assembling.slabs.liveBytes, 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('frames that lie at the same place in two chunks are not taken for neighbours', () => {
  const bodies: string[] = [];
  const assembling = new Assembling((channel, { message }) => {
    bodies.push(`${channel}: ${message.routingKey} ${message.body().toString()}`);
  });
  const [method, header, body] = framesOf(1, { ...EMPTY, body: Buffer.from('one') }, []);
  const other = framesOf(2, { ...EMPTY, routingKey: 'o', body: Buffer.from('two') }, []);
  // Where the method ends in the first chunk, its header begins in the second.
  assert.equal(other[0]!.length, method!.length);
  assembling.push(method!);
  assembling.push(Buffer.concat([other[0]!, header!, other[1]!, body!, other[2]!]));
  assert.deepEqual(bodies, ['1: k one', '2: o two']);
});

test('a method cut anywhere is a DecodeError, and so is one with octets left over', () => {
  const frame = encodeMethodFrame(1, 'basic.publish', {
    exchange: 'exchange',
    routingKey: 'key',
    mandatory: true,
    immediate: false,
  });
  const assembler = new PublishAssembler(new SlabAllocator());
  const end = frame.length - 1;
  for (let cutAt = 7 + 4; cutAt < end; cutAt++) {
    assert.throws(() => assembler.method(frame, 7, cutAt), DecodeError);
    assert.throws(() => assembler.method(frame.subarray(0, cutAt), 7, cutAt), DecodeError);
  }
  assert.throws(() => assembler.method(frame, 7, end + 1), DecodeError);
  assembler.method(frame, 7, end);
  assert.equal(assembler.message.exchange, 'exchange');
});

test('a body longer than announced is refused, even by one octet', () => {
  const assembling = new Assembling(() => assert.fail('it was published'));
  const [method, header] = framesOf(1, { ...EMPTY, body: Buffer.alloc(10) }, []);
  const [, , tooLong] = framesOf(1, { ...EMPTY, body: Buffer.alloc(11) }, []);
  assembling.push(Buffer.concat([method!, header!]));
  assert.throws(() => assembling.push(tooLong!), { scope: 'connection', replyCode: 501 });
});

test('a header of another class, or with a weight, is refused', () => {
  for (const [at, octet] of [
    [8, 61],
    [10, 1],
  ] as const) {
    const [method, header] = framesOf(1, EMPTY, []);
    header![at] = octet;
    const assembling = new Assembling(() => assert.fail('it was published'));
    assembling.push(method!);
    assert.throws(() => assembling.push(header!), { scope: 'connection', replyCode: 505 });
  }
});

test('a message that is given up leaves nothing behind for the next', () => {
  const assembler = new PublishAssembler(new SlabAllocator());
  const given = framesOf(1, { ...EMPTY, routingKey: 'a', body: Buffer.alloc(10) }, []);
  assembler.method(given[0]!, 7, given[0]!.length - 1);
  assembler.contentHeader(given[1]!, 7, given[1]!.length - 1);
  assert.equal(assembler.awaited, 'body');
  assembler.abandon();
  assert.equal(assembler.awaited, 'method');
  const next = framesOf(1, { ...EMPTY, routingKey: 'b' }, []);
  assembler.method(next[0]!, 7, next[0]!.length - 1);
  assembler.contentHeader(next[1]!, 7, next[1]!.length - 1);
  assert.equal(assembler.awaited, 'method');
  assert.equal(assembler.message.routingKey, 'b');
  assert.equal(assembler.message.body().length, 0);
});

test('memory is taken for octets that came, not for those that were announced', () => {
  const [method, header] = framesOf(1, EMPTY, []);
  header!.writeUInt32BE(100_000_000, 7 + 8);
  const [, , piece] = framesOf(1, { ...EMPTY, body: Buffer.alloc(100) }, []);
  const before = process.memoryUsage().arrayBuffers;
  const assemblings = Array.from({ length: 50 }, () => {
    const assembling = new Assembling(() => assert.fail('it was published'));
    for (const frame of [method!, header!, piece!, piece!]) assembling.push(Buffer.from(frame));
    return assembling;
  });
  const bytes = process.memoryUsage().arrayBuffers - before;
  assert.equal(assemblings.length, 50);
  // The slab that each allocator begins with is most of it.
  assert.ok(bytes < 50 * 100_000, `${bytes} octets`);
});

test('empty body frames add nothing to a message', () => {
  const content = { ...EMPTY, body: Buffer.from('ab') };
  const slabs = new SlabAllocator();
  let bytes = 0;
  const assembling = new Assembling((_channel, { message }) => {
    assert.equal(message.body().toString(), 'ab');
    bytes = message.storedBytes;
  }, slabs);
  for (const frame of framesOf(1, content, [1])) assembling.push(frame);
  const withoutEmpty = bytes;
  const sizes = [0, ...Array.from({ length: 1_000 }, () => 0), 1, 0, 0];
  for (const frame of framesOf(1, content, sizes)) assembling.push(frame);
  assert.equal(bytes, withoutEmpty);
});
