import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { type RunningBroker, startBroker, type TlsOptions } from '@leveret/broker';
import * as amqplib from 'amqplib';
import { Authority } from './certificates.js';

const run = promisify(execFile);
const HERE = 'DNS:localhost,IP:127.0.0.1';
const AMQP_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

interface World {
  readonly broker: RunningBroker;
  readonly authority: Authority;
  readonly port: number;
  /** What the broker has logged as a warning. */
  readonly warnings: string[];
}

async function world(t: TestContext, options: Partial<TlsOptions> = {}): Promise<World> {
  const authority = new Authority(t);
  const { key, cert } = authority.sign('server', HERE);
  const warnings: string[] = [];
  const ignore = (): void => {};
  const logger = {
    ...{ trace: ignore, debug: ignore, info: ignore, error: ignore },
    warn: (text: string) => warnings.push(text),
  };
  const tls = { port: 0, key, cert, ...options };
  const broker = await startBroker({ port: 0, tls, logger });
  t.after(() => broker.close());
  return { broker, authority, port: Number(new URL(broker.tlsUrl ?? '').port), warnings };
}

/** The broker's first octets after the AMQP header, over TLS. */
async function greeting(t: TestContext, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', ...options });
  t.after(() => socket.destroy());
  socket.write(AMQP_HEADER);
  const chunk = await new Promise<Buffer>((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed without a word')));
  });
  // A method frame on channel 0: connection.start.
  assert.deepEqual([...chunk.subarray(0, 3), ...chunk.subarray(7, 11)], [1, 0, 0, 0, 10, 0, 10]);
  return socket;
}

function commonName(socket: TLSSocket): unknown {
  return socket.getPeerCertificate().subject.CN;
}

describe('TLS', () => {
  test('amqplib works over it, bodies of every size included', async (t) => {
    const { broker, authority } = await world(t);
    const connection = await amqplib.connect(broker.tlsUrl ?? '', { ca: [authority.cert] });
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue('', { exclusive: true });
    const bodies = [0, 1, 1_000, 131_064, 3_000_000].map((bytes) => Buffer.alloc(bytes, 'x'));
    for (const body of bodies) channel.sendToQueue(queue, body);
    await channel.waitForConfirms();
    for (const body of bodies) {
      const got = await channel.get(queue, { noAck: true });
      assert.ok(got !== false && got.content.equals(body));
    }
    await connection.close();
  });

  test('openssl believes the certificate, and speaks 1.2 and 1.3 but nothing older', async (t) => {
    const { authority, port } = await world(t);
    const client = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', authority.certFile];
    for (const version of ['-tls1_2', '-tls1_3']) {
      const { stdout } = await askOpenssl([...client, '-verify_return_error', version]);
      assert.match(stdout, /Verify return code: 0 \(ok\)/);
    }
    const old = [...client, '-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'];
    await assert.rejects(askOpenssl(old), /alert protocol version|unsupported protocol/);
  });

  test('the oldest version can be raised', async (t) => {
    const { authority, port } = await world(t, { minVersion: 'TLSv1.3' });
    await greeting(t, { port, ca: authority.cert });
    const old = { port, ca: authority.cert, maxVersion: 'TLSv1.2' } as const;
    await assert.rejects(greeting(t, old), /alert protocol version/);
  });

  test('the certificate is that for the name the client asks for', async (t) => {
    const { broker, authority, port } = await world(t);
    const { key, cert } = authority.sign('server', HERE);
    const other = authority.sign('mq.example.org', 'DNS:mq.example.org');
    broker.renewTls({ key, cert, serverNames: { 'MQ.example.org': other } });
    const asked = await greeting(t, { port, ca: authority.cert, servername: 'mq.example.org' });
    assert.equal(commonName(asked), 'mq.example.org');
    const plain = await greeting(t, { port, ca: authority.cert });
    assert.equal(commonName(plain), 'server');
  });

  test('a renewed certificate is shown from then on; connections go on', async (t) => {
    const { broker, authority, port } = await world(t);
    const before = await amqplib.connect(broker.tlsUrl ?? '', { ca: [authority.cert] });
    const renewed = authority.sign('renewed', HERE);
    broker.renewTls(renewed);
    assert.equal(commonName(await greeting(t, { port, ca: authority.cert })), 'renewed');
    await before.createChannel();
    const stranger = authority.sign('stranger', HERE);
    assert.throws(() => broker.renewTls({ cert: renewed.cert, key: stranger.key }), {
      code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    });
    assert.equal(commonName(await greeting(t, { port, ca: authority.cert })), 'renewed');
    await before.close();
  });
});

describe("clients' certificates", () => {
  test('have to be there and believed where they are required', async (t) => {
    const authority = new Authority(t);
    const {
      port,
      authority: ours,
      warnings,
    } = await world(t, {
      ca: authority.cert,
      clientCertificates: 'require',
    });
    const { key, cert } = authority.sign('worker');
    await greeting(t, { port, ca: ours.cert, key, cert });
    await assert.rejects(greeting(t, { port, ca: ours.cert }));
    const forged = new Authority(t).sign('worker');
    const { key: forgedKey, cert: forgedCert } = forged;
    const options = { port, ca: ours.cert, key: forgedKey, cert: forgedCert };
    await assert.rejects(greeting(t, options));
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /the client has shown no certificate/);
    assert.match(warnings[1] ?? '', /not believed: CERT_SIGNATURE_FAILURE/);
  });

  test('may be missing where they are requested, but not unknown', async (t) => {
    const authority = new Authority(t);
    const {
      port,
      authority: ours,
      warnings,
    } = await world(t, {
      ca: authority.cert,
      clientCertificates: 'request',
    });
    await greeting(t, { port, ca: ours.cert });
    const { key, cert } = new Authority(t).sign('worker');
    await assert.rejects(greeting(t, { port, ca: ours.cert, key, cert }));
    assert.match(warnings.join(), /not believed: CERT_SIGNATURE_FAILURE/);
  });
});

describe('who comes to the wrong port', () => {
  test('without TLS is cut off, and the log says why', async (t) => {
    const { port, warnings } = await world(t);
    const socket = connectPlain(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(AMQP_HEADER);
    await once(socket, 'close');
    assert.match(warnings.join(), /does not speak TLS; it may want the port without/);
  });

  test('with TLS gets an AMQP header, and the log says why', async (t) => {
    const { broker, warnings } = await world(t);
    const socket = connect({ host: '127.0.0.1', port: broker.port });
    await assert.rejects(once(socket, 'secureConnect'), /wrong version number/);
    assert.match(warnings.join(), /a client speaks TLS, and there is none on this port/);
  });

  test('and says nothing is not waited for', async (t) => {
    const authority = new Authority(t);
    const { key, cert } = authority.sign('server', HERE);
    const limits = { handshakeMilliseconds: 50 };
    const broker = await startBroker({ port: 0, tls: { port: 0, key, cert }, limits });
    t.after(() => broker.close());
    const socket = connectPlain(Number(new URL(broker.tlsUrl ?? '').port), '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'close');
  });
});

test('of those that do not agree on TLS the oldest is cut off, and the end is not held up', async (t) => {
  const authority = new Authority(t);
  const { key, cert } = authority.sign('server', HERE);
  const limits = { handshakesMax: 2, handshakeMilliseconds: 3_600_000 };
  const broker = await startBroker({ port: 0, tls: { port: 0, key, cert }, limits });
  t.after(() => broker.close());
  const port = Number(new URL(broker.tlsUrl ?? '').port);
  const closed: Promise<unknown>[] = [];
  for (let i = 0; i < 6; i++) {
    const socket = connectPlain(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    closed.push(once(socket, 'close'));
    await once(socket, 'connect');
    // Who speaks TLS gets by, and is not cut off later.
    const spoken = await amqplib.connect(broker.tlsUrl ?? '', { ca: [authority.cert] });
    await spoken.createChannel();
  }
  await Promise.all(closed.slice(0, 4));
  await broker.close();
  await Promise.all(closed);
});

test('a broker that does not serve TLS has nothing to renew', async (t) => {
  const broker = await startBroker({ port: 0 });
  t.after(() => broker.close());
  assert.equal(broker.tlsUrl, undefined);
  assert.throws(() => broker.renewTls({ key: '', cert: '' }), /was started without TLS/);
});

test('credentials that are none are refused at the start, with nothing left open', async () => {
  const tls = { port: 0, key: 'no', cert: 'PEM' };
  await assert.rejects(startBroker({ port: 0, tls }), { code: /^ERR_OSSL_/ });
});

/** Runs an openssl that ends when its input does. */
async function askOpenssl(args: readonly string[]): Promise<{ stdout: string }> {
  const asked = run('openssl', args);
  asked.child.stdin?.end();
  return asked;
}
