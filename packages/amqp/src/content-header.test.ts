import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { basicProperties } from './arbitraries.test.support.js';
import { ContentHeader } from './content-header.js';
import { DecodeError } from './errors.js';
import { encodeTable } from './field-table-codec.js';
import { encodeContentHeaderFrame } from './frame-encoder.js';
import { type BasicProperties, decodeProperties, encodeProperties } from './properties.js';

const PROPERTIES_OFFSET = 12;

function payloadOf(bodyBytes: number, properties: BasicProperties): Buffer {
  return encodeContentHeaderFrame(1, bodyBytes, properties).subarray(7, -1);
}

function read(payload: Buffer): ContentHeader {
  const header = new ContentHeader();
  header.read(payload, 0, payload.length);
  return header;
}

/** The facts of a header, the short strings and the table as the octets they point at. */
function factsOf(header: ContentHeader, buffer: Buffer): unknown {
  const shortString = (start: number): string | undefined =>
    start < 0 ? undefined : buffer.toString('latin1', start + 1, start + 1 + buffer[start]!);
  const { headersStart, headersEnd } = header;
  return {
    classId: header.classId,
    bodyBytes: header.bodyBytes,
    deliveryMode: header.deliveryMode,
    priority: header.priority,
    hasSenderSelected: header.hasSenderSelected,
    headers: headersStart < 0 ? undefined : buffer.toString('hex', headersStart, headersEnd),
    headersEndIsSet: headersEnd >= 0,
    replyTo: shortString(header.replyToStart),
    expiration: shortString(header.expirationStart),
    userId: shortString(header.userIdStart),
  };
}

function expectedFacts(bodyBytes: number, properties: BasicProperties): unknown {
  const { headers, deliveryMode = -1, priority = -1, replyTo, expiration, userId } = properties;
  return {
    classId: 60,
    bodyBytes,
    deliveryMode,
    priority,
    hasSenderSelected: headers?.has('CC') === true || headers?.has('BCC') === true,
    headers: headers && encodeTable(headers).toString('hex'),
    headersEndIsSet: headers !== undefined,
    replyTo,
    expiration,
    userId,
  };
}

test('the facts are those of the properties, whichever there are and whatever lies around', () => {
  const bytes = fc.nat(30);
  // One object for all: what one header leaves behind must not show in the next.
  const header = new ContentHeader();
  fc.assert(
    fc.property(basicProperties, fc.maxSafeNat(), bytes, bytes, (properties, size, n, m) => {
      const payload = payloadOf(size, properties);
      const around = Buffer.concat([Buffer.alloc(n, 0xff), payload, Buffer.alloc(m, 0xff)]);
      header.read(around, n, n + payload.length);
      assert.deepEqual(factsOf(header, around), expectedFacts(size, properties));
    }),
    { numRuns: 500 },
  );
});

test('every combination of properties, each with a value of its own', () => {
  const all: Required<BasicProperties> = {
    contentType: 'text/plain',
    contentEncoding: 'gzip',
    headers: new Map([['CC', { type: 'A', value: [] }]]),
    deliveryMode: 2,
    priority: 9,
    correlationId: '',
    replyTo: 'answers',
    expiration: '60000',
    messageId: 'm-1',
    timestamp: 2n ** 64n - 1n,
    type: 't',
    userId: 'guest',
    appId: 'app',
    clusterId: 'c',
  };
  const names = Object.keys(all);
  const header = new ContentHeader();
  for (let combination = 0; combination < 1 << names.length; combination++) {
    const entries = Object.entries(all).filter((_, i) => (combination & (1 << i)) !== 0);
    // Names and values are those of one BasicProperties.
    const properties = Object.fromEntries(entries) as BasicProperties;
    const payload = payloadOf(combination, properties);
    header.read(payload, 0, payload.length);
    assert.deepEqual(factsOf(header, payload), expectedFacts(combination, properties));
  }
});

test('a header cut anywhere is a DecodeError, even if the octets cut off lie behind', () => {
  fc.assert(
    fc.property(basicProperties, (properties) => {
      const payload = payloadOf(1, properties);
      const header = new ContentHeader();
      for (let end = 0; end < payload.length; end++) {
        assert.throws(() => header.read(payload, 0, end), DecodeError);
        const cut = Buffer.from(payload.subarray(0, end));
        assert.throws(() => header.read(cut, 0, end), DecodeError);
      }
      const longer = Buffer.concat([payload, Buffer.alloc(1)]);
      assert.throws(() => header.read(longer, 0, longer.length), DecodeError);
    }),
    { numRuns: 50 },
  );
});

test('octets changed at random: accepted if and only if the properties can be decoded', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(basicProperties, changes, (properties, octets) => {
      const payload = payloadOf(1, properties);
      for (const [place, octet] of octets) {
        payload[PROPERTIES_OFFSET + (place % (payload.length - PROPERTIES_OFFSET))] = octet;
      }
      assertAgrees(payload);
    }),
    { numRuns: 2000 },
  );
});

test('arbitrary octets: accepted if and only if they can be decoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 2, maxLength: 30 }), (octets) => {
      assertAgrees(Buffer.concat([Buffer.alloc(PROPERTIES_OFFSET), octets]));
    }),
    { numRuns: 3000 },
  );
});

test('the two flags without a property are ignored', () => {
  assert.equal(
    read(Buffer.from('003c000000000000000000051003 02'.replace(' ', ''), 'hex')).deliveryMode,
    2,
  );
});

test('body sizes up to 2^64 are read, above 2^53 nearly', () => {
  const payload = payloadOf(0, {});
  payload.writeBigUInt64BE(2n ** 64n - 1n, 4);
  assert.equal(read(payload).bodyBytes, 2 ** 64);
});

test('any class is read: it is for others to judge', () => {
  const payload = payloadOf(0, {});
  payload.writeUInt16BE(0xfffe, 0);
  assert.equal(read(payload).classId, 0xfffe);
});

function assertAgrees(payload: Buffer): void {
  let expected: BasicProperties | undefined;
  try {
    expected = decodeProperties(payload, PROPERTIES_OFFSET, payload.length);
  } catch (error) {
    assert.ok(error instanceof DecodeError);
  }
  if (expected === undefined) {
    assert.throws(() => read(payload), DecodeError);
    return;
  }
  const header = read(payload);
  const { deliveryMode = -1, priority = -1, headers } = expected;
  assert.equal(header.deliveryMode, deliveryMode);
  assert.equal(header.priority, priority);
  assert.equal(
    header.hasSenderSelected,
    headers?.has('CC') === true || headers?.has('BCC') === true,
  );
  assert.equal(header.headersStart < 0, headers === undefined);
  assert.ok(encodeProperties(expected).length > 0);
}
