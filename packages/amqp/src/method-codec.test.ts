import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyMethod, methodArbitrary } from './arbitraries.test.support.js';
import { DecodeError, EncodeError, MalformedUtf8Error, UnknownMethodError } from './errors.js';
import { decodeMethod, encodeMethod } from './method-codec.js';
import { METHODS, type MethodName } from './methods.js';
import { toFieldTable } from './plain-table.js';
import type { DecodedMethod, MethodArguments } from './types.js';

function decode(bytes: Buffer): DecodedMethod {
  return decodeMethod(bytes, 0, bytes.length);
}

function encode(method: DecodedMethod): Buffer {
  // The pair belongs together; the compiler cannot follow it through the union.
  return encodeMethod(method.name, method.args as MethodArguments<typeof method.name>);
}

function hexOf(bytes: Buffer): string {
  return bytes.toString('hex');
}

function hex(text: string): string {
  return text.replaceAll(' ', '');
}

test('queue.declare: bits share an octet, the first in its lowest bit', () => {
  const args = {
    queue: 'q',
    passive: true,
    durable: false,
    exclusive: true,
    autoDelete: false,
    nowait: true,
    arguments: toFieldTable({ 'x-expires': 1000 }),
  };
  const bytes = encodeMethod('queue.declare', args);
  assert.equal(
    hexOf(bytes),
    hex('0032 000a 0000 0171 15 0000000f 09 782d65787069726573 49 000003e8'),
  );
  assert.deepEqual(decode(bytes), { name: 'queue.declare', args: { ticket: 0, ...args } });
});

test('basic.get-ok: fields after the bits start at a new octet', () => {
  const bytes = encodeMethod('basic.get-ok', {
    deliveryTag: 2 ** 40,
    redelivered: true,
    exchange: '',
    routingKey: 'k',
    messageCount: 3,
  });
  assert.equal(hexOf(bytes), hex('003c 0047 0000010000000000 01 00 016b 00000003'));
});

test('connection.start: octets, a table, long strings', () => {
  const bytes = encodeMethod('connection.start', {
    versionMajor: 0,
    versionMinor: 9,
    serverProperties: new Map(),
    mechanisms: 'PLAIN',
    locales: 'en_US',
  });
  assert.equal(
    hexOf(bytes),
    hex('000a 000a 00 09 00000000 00000005 504c41494e 00000005 656e5f5553'),
  );
});

test('connection.tune: shorts and a long', () => {
  const bytes = encodeMethod('connection.tune', {
    channelMax: 2047,
    frameMax: 131072,
    heartbeat: 60,
  });
  assert.equal(hexOf(bytes), hex('000a 001e 07ff 00020000 003c'));
});

test('tx.select-ok: no fields', () => {
  assert.equal(hexOf(encodeMethod('tx.select-ok', {})), hex('005a 000b'));
  assert.deepEqual(decode(Buffer.from('005a000b', 'hex')), { name: 'tx.select-ok', args: {} });
});

// Object.keys forgets that the keys are the method names.
for (const name of Object.keys(METHODS) as MethodName[]) {
  test(`${name} comes back`, () => {
    fc.assert(
      fc.property(methodArbitrary(name), (method) => {
        assert.deepEqual(decode(encode(method)), method);
      }),
      { numRuns: 25 },
    );
  });
}

test('a method cut anywhere, or with bytes left over, is a DecodeError', () => {
  fc.assert(
    fc.property(anyMethod, (method) => {
      const bytes = encode(method);
      for (let end = 0; end < bytes.length; end++) {
        assert.throws(() => decodeMethod(bytes, 0, end), DecodeError);
      }
      assert.throws(() => decode(Buffer.concat([bytes, Buffer.alloc(1)])), DecodeError);
    }),
    { numRuns: 60 },
  );
});

test('a method is read from the middle of a buffer', () => {
  fc.assert(
    fc.property(anyMethod, fc.uint8Array(), fc.uint8Array(), (method, before, after) => {
      const bytes = encode(method);
      const buffer = Buffer.concat([before, bytes, after]);
      const end = before.length + bytes.length;
      assert.deepEqual(decodeMethod(buffer, before.length, end), method);
    }),
  );
});

test('a method damaged anywhere is another method or one of the two errors', () => {
  fc.assert(
    fc.property(anyMethod, fc.nat(), fc.integer({ min: 1, max: 255 }), (method, where, change) => {
      const bytes = encode(method);
      const at = where % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ change;
      try {
        assert.ok(decode(bytes).name in METHODS);
      } catch (error) {
        const expected = error instanceof DecodeError || error instanceof UnknownMethodError;
        assert.ok(expected, `${error}`);
      }
    }),
    { numRuns: 500 },
  );
});

test('an unknown class or method id is an UnknownMethodError that names it', () => {
  const read = (classId: number, methodId: number) => (): DecodedMethod =>
    decode(Buffer.from([0, classId, 0, methodId]));
  assert.throws(read(99, 10), { name: 'UnknownMethodError', classId: 99, methodId: 10 });
  assert.throws(read(60, 99), { name: 'UnknownMethodError', classId: 60, methodId: 99 });
});

test('a short string that is not UTF-8 is refused, except where content follows', () => {
  // exchange.delete of an exchange named ff, then basic.publish to it.
  const remove = Buffer.from(hex('0028 0014 0000 01ff 00'), 'hex');
  assert.throws(() => decode(remove), MalformedUtf8Error);
  assert.throws(() => decode(remove), DecodeError);
  const publish = Buffer.from(hex('003c 0028 0000 01ff 01fe 00'), 'hex');
  assert.deepEqual(decode(publish), {
    name: 'basic.publish',
    args: {
      ticket: 0,
      exchange: '\u00ff',
      routingKey: '\u00fe',
      mandatory: false,
      immediate: false,
    },
  });
});

test('bits nobody defined are ignored', () => {
  const ack = Buffer.from(hex('003c 0050 0000000000000001 fe'), 'hex');
  assert.deepEqual(decode(ack), { name: 'basic.ack', args: { deliveryTag: 1, multiple: false } });
});

test('a delivery tag beyond 2^53 is read as the nearest number', () => {
  const ack = Buffer.from(hex('003c 0050 ffffffffffffffff 00'), 'hex');
  assert.deepEqual(decode(ack).args, { deliveryTag: 2 ** 64, multiple: false });
});

test('an argument that does not fit its field is an EncodeError', () => {
  const close = { replyCode: 200, replyText: '', classId: 0, methodId: 0 };
  const refused = (args: typeof close): void =>
    assert.throws(() => encodeMethod('channel.close', args), EncodeError);
  refused({ ...close, replyCode: 65536 });
  refused({ ...close, classId: -1 });
  refused({ ...close, replyText: 'x'.repeat(256) });
  refused({ ...close, replyText: '\u20ac' });
  assert.throws(() => encodeMethod('basic.ack', { deliveryTag: 2 ** 53, multiple: false }), {
    name: 'EncodeError',
  });
});

test('arguments are typed by the table', () => {
  const ack: MethodArguments<'basic.ack'> = { deliveryTag: 1, multiple: false };
  // @ts-expect-error multiple is a bit, so a boolean
  const misfit: MethodArguments<'basic.ack'> = { deliveryTag: 1, multiple: 1 };
  // @ts-expect-error a field is missing
  const missing: MethodArguments<'basic.ack'> = { deliveryTag: 1 };
  assert.equal(encodeMethod('basic.ack', ack).length, 4 + 8 + 1);
  assert.ok(misfit && missing);
  const method = decode(encodeMethod('basic.ack', ack));
  // Knowing the name is knowing the arguments.
  assert.equal(method.name === 'basic.ack' && method.args.deliveryTag, 1);
});
