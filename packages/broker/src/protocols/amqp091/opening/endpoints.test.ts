import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../../../base/random.js';
import { addressTerm, endpointsOf } from './endpoints.js';

test('a socket is known by both its ends, the peer first', () => {
  const ends = {
    localAddress: '192.168.0.1',
    localPort: 5672,
    remoteAddress: '192.168.0.7',
    remotePort: 50_000,
    isEncrypted: true,
    certificate: undefined,
  };
  assert.deepEqual(endpointsOf(ends, systemRandom), {
    name: '192.168.0.7:50000 -> 192.168.0.1:5672',
    host: '192.168.0.1',
    port: 5672,
    peerHost: '192.168.0.7',
    peerPort: 50_000,
    isEncrypted: true,
    certificate: undefined,
    isLoopback: false,
  });
});

test('an IPv6 address is put in brackets, unless it is IPv4 in disguise', () => {
  const ends = { localPort: 1, remotePort: 2, isEncrypted: false, certificate: undefined };
  const names: [string, string, boolean][] = [
    ['::1', '[::1]:2 -> [::1]:1', true],
    ['fe80::7', '[fe80::7]:2 -> [fe80::7]:1', false],
    ['::ffff:127.0.0.2', '127.0.0.2:2 -> 127.0.0.2:1', true],
    ['::ffff:10.0.0.2', '10.0.0.2:2 -> 10.0.0.2:1', false],
  ];
  for (const [address, name, isLoopback] of names) {
    const addresses = { localAddress: address, remoteAddress: address };
    const found = endpointsOf({ ...ends, ...addresses }, systemRandom);
    assert.deepEqual([found.name, found.isLoopback], [name, isLoopback]);
  }
});

test('a stream that is no socket has a name of its own, and comes from here', () => {
  const streams = [1, 2].map(() => endpointsOf(undefined, systemRandom));
  for (const { name, isLoopback } of streams) {
    assert.match(name, /^stream-[\w-]{22}$/);
    assert.equal(isLoopback, true);
  }
  assert.notEqual(streams[0]?.name, streams[1]?.name);
});

test('addresses are printed as Erlang prints them', () => {
  const cases = [
    ['127.0.0.1', '{127,0,0,1}'],
    ['::1', '{0,0,0,0,0,0,0,1}'],
    ['::', '{0,0,0,0,0,0,0,0}'],
    ['fe80::1:ff%eth0', '{65152,0,0,0,0,0,1,255}'],
    ['1:2:3:4:5:6:7:8', '{1,2,3,4,5,6,7,8}'],
    ['', ''],
  ] as const;
  for (const [address, term] of cases) assert.equal(addressTerm(address), term);
});
