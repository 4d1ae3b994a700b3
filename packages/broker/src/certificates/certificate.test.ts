import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromWire } from '@leveret/amqp';
import fc from 'fast-check';
import { readCertificate } from './certificate.js';
import { DerError, derValue, derValues, oidText, stringText } from './der.js';
import { commonNames, distinguishedName } from './distinguished-name.js';

/** Made by openssl: `O=acme`, `OU=a` and `OU=b` in one part, `CN=Zoë`, and alternative names. */
const CERTIFICATE = Buffer.from(
  [
    'MIICYjCCAgmgAwIBAgIUAI7sHh2DcHjgJCJBn6v/X16wKkIwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJYXV0aG9y',
    'aXR5MB4XDTI2MTEyMTE4MzA0M1oXDTI2MTEyMzE4MzA0M1owNDENMAsGA1UECgwEYWNtZTEUMAgGA1UECwwBYTAI',
    'BgNVBAsMAWIxDTALBgNVBAMMBFpvw6swWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASKkPpJpRUJtFCBnXXJDtvm',
    'KvFcgjZ/o2xbgbVe5n/iLeqUC6zd6vHWecSN/9Up9uECT9DpCTJgVJQB3yL2bQtUo4IBFzCCARMwgdAGA1UdEQSB',
    'yDCBxYILb25lLmV4YW1wbGWBEWZpcnN0QGV4YW1wbGUub3JnhwQKAAABoB8GCisGAQQBgjcUAgOgEQwPdXBuQGV4',
    'YW1wbGUub3JnpBYwFDESMBAGA1UEAwwJZWxzZXdoZXJlhhtzcGlmZmU6Ly9leGFtcGxlLm9yZy93b3JrZXKIAyoD',
    'BIcQ/oAAAAAAAAAAAAAAAAAAAYINKi50d28uZXhhbXBsZYESc2Vjb25kQGV4YW1wbGUub3JnoA0GAyoDBKAGDARa',
    'b8OrMB0GA1UdDgQWBBQDie5dV7ivFUQNr9aNRutK9gs3XDAfBgNVHSMEGDAWgBRy9IE9J5bltUqlyn/PPz6/rvde',
    'CjAKBggqhkjOPQQDAgNHADBEAiAOk3WlBc7SDeogpJEq3tuZRSBYL5g9mZBQajnGpyFoWwIgNqmGzeDAea++S+0f',
    'rx7RJyiSHgiQ4sIcujLocZnHWfo=',
  ].join(''),
  'base64',
);

test('a certificate tells of its names and its time', () => {
  const { subject, issuer, validity, ...names } = readCertificate(CERTIFICATE);
  assert.equal(subject, 'CN=Zo\\C3\\AB,OU=a+OU=b,O=acme');
  assert.equal(issuer, 'CN=authority');
  assert.match(validity, /^2026-11-2\dT\d\d:\d\d:\d\dZ - 2026-11-2\dT\d\d:\d\d:\d\dZ$/);
  assert.deepEqual(names.commonNames.map(fromWire), ['Zoë']);
  assert.deepEqual(
    names.alternativeNames.map(({ type, value }) => `${type} ${fromWire(value)}`),
    [
      ...['dns one.example', 'email first@example.org', 'ip 10.0.0.1'],
      ...['other_name upn@example.org', 'uri spiffe://example.org/worker', 'ip fe80::1'],
      ...['dns *.two.example', 'email second@example.org', 'other_name Zoë'],
    ],
  );
});

test('octets that are no certificate are a DerError and nothing else', () => {
  const read = (octets: Buffer): void => {
    try {
      readCertificate(octets);
    } catch (error) {
      assert.ok(error instanceof DerError, String(error));
    }
  };
  for (let length = 0; length < CERTIFICATE.length; length++) {
    assert.throws(() => readCertificate(CERTIFICATE.subarray(0, length)), DerError);
  }
  const changes = fc.array(fc.tuple(fc.nat(CERTIFICATE.length - 1), fc.nat(255)), { maxLength: 3 });
  const changed = (some: readonly (readonly [number, number])[]): void => {
    const octets = Buffer.from(CERTIFICATE);
    for (const [at, octet] of some) octets[at] = octet;
    read(octets);
  };
  fc.assert(fc.property(changes, changed), { numRuns: 20_000 });
  for (let at = 0; at < CERTIFICATE.length; at++) {
    for (const octet of [0, 1, 0x7f, 0x80, 0x84, 0xff]) changed([[at, octet]]);
  }
});

test('values are cut where their lengths say', () => {
  const value = (octets: number[]): string => {
    const { tag, content } = derValue(Buffer.from(octets));
    return `${tag} ${content.toString('hex')}`;
  };
  assert.equal(value([4, 0]), '4 ');
  assert.equal(value([4, 1, 7]), '4 07');
  assert.equal(value([4, 0x81, 1, 7]), '4 07');
  assert.equal(value([4, 0x84, 0, 0, 0, 1, 7]), '4 07');
  assert.deepEqual(derValues(Buffer.alloc(0)), []);
  for (const wrong of [[4], [4, 1], [4, 0x80, 0], [4, 0x85, 0, 0, 0, 0, 0], [4, 0x81], [0x1f, 0]]) {
    assert.throws(() => derValue(Buffer.from(wrong)), DerError);
  }
  for (const several of [[], [4, 0, 4, 0]]) {
    assert.throws(() => derValue(Buffer.from(several)), DerError);
  }
});

test('identifiers are numbers with dots', () => {
  const text = (digits: string): string => oidText(Buffer.from(digits, 'hex'));
  assert.equal(text('550403'), '2.5.4.3');
  assert.equal(text('2a864886f70d010901'), '1.2.840.113549.1.9.1');
  assert.equal(text('00'), '0.0');
  assert.equal(text('883703'), '2.999.3');
  for (const wrong of ['', '80', '5504ff', '55'.repeat(129)])
    assert.throws(() => text(wrong), DerError);
});

test('strings are the same only if their characters are', () => {
  const text = (tag: number, digits: string): string | undefined =>
    stringText({ tag, content: Buffer.from(digits, 'hex') });
  assert.equal(text(12, 'c3ab'), '\u00c3\u00ab');
  assert.equal(text(12, 'ff'), '\u00ff', 'what is no UTF-8 stays what it is');
  assert.equal(text(20, 'eb'), '\u00c3\u00ab');
  assert.equal(text(30, '00eb'), '\u00c3\u00ab');
  assert.equal(text(30, 'd834dd1e'), text(28, '0001d11e'));
  assert.equal(text(3, '00'), undefined);
  for (const wrong of ['d834', '00', 'd834d834']) assert.throws(() => text(30, wrong), DerError);
  for (const wrong of ['00110000', '0000d834', '00'])
    assert.throws(() => text(28, wrong), DerError);
});

test('a value that is no string is shown by its octets, and is nobody’s common name', () => {
  // SET { SEQUENCE { 2.5.4.3, BIT STRING } }
  const name = Buffer.from('310b3009060355040303020001', 'hex');
  assert.equal(distinguishedName(name), 'CN=#03020001');
  assert.deepEqual(commonNames(name), []);
});
