import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { systemRandom } from '../../base/random.js';
import { addressTerm, endpointsOf } from './endpoints.js';

test('a socket is known by both its ends, the peer first', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const client = connect(address.port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket]; // what the event carries
  t.after(() => client.destroy());
  t.after(() => accepted.destroy());
  assert.deepEqual(endpointsOf(accepted, systemRandom), {
    name: `127.0.0.1:${client.localPort} -> 127.0.0.1:${address.port}`,
    host: '127.0.0.1',
    port: address.port,
    peerHost: '127.0.0.1',
    peerPort: client.localPort,
    isEncrypted: false,
  });
});

test('a stream that is no socket has a name of its own', () => {
  const names = [1, 2].map(() => endpointsOf(new PassThrough(), systemRandom).name);
  for (const name of names) assert.match(name, /^stream-[\w-]{22}$/);
  assert.notEqual(names[0], names[1]);
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
