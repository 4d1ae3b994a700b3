import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { Authority } from '../tls/certificates.js';
import { loginExternal } from '../tls/external-login.js';
import { LeveretProcess } from './leveret-process.js';

/** The name in the certificate that a port shows. */
async function shownName(port: number, ca: string): Promise<unknown> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

test('leveret serves TLS with files, and takes them anew when they change', async (t) => {
  const authority = new Authority(t);
  const first = authority.sign('first', 'IP:127.0.0.1');
  const second = authority.sign('second', 'IP:127.0.0.1');
  const files = ['--tls-cert', first.certFile, '--tls-key', first.keyFile, '--tls-port', '0'];
  const leveret = LeveretProcess.run(t, '--port', '0', '--bind', '127.0.0.1', ...files);
  await leveret.logged(/TLS is served at/);
  const port = Number(/TLS is served at amqps:\S+:(\d+)/.exec(leveret.stderr)?.[1]);
  assert.equal(await shownName(port, authority.cert), 'first');
  copyFileSync(second.keyFile, first.keyFile);
  copyFileSync(second.certFile, first.certFile);
  await leveret.logged(/the certificate has been renewed/);
  assert.equal(await shownName(port, authority.cert), 'second');
});

test('leveret lets users in by certificates, but not by those that are taken back', async (t) => {
  const authority = new Authority(t);
  const { certFile, keyFile } = authority.sign('server', 'IP:127.0.0.1');
  const guest = authority.sign('guest');
  const crlFile = authority.write('crl.pem', authority.revocations());
  const tls = ['--tls-cert', certFile, '--tls-key', keyFile, '--tls-ca', authority.certFile];
  const login = ['--tls-login=common_name', '--tls-crl', crlFile, '--tls-min-version=TLSv1.3'];
  const leveret = LeveretProcess.run(
    t,
    '--port',
    '0',
    '--bind',
    '127.0.0.1',
    '--tls-port=0',
    ...tls,
    ...login,
  );
  await leveret.logged(/TLS is served at/);
  const port = Number(/TLS is served at amqps:\S+:(\d+)/.exec(leveret.stderr)?.[1]);
  const connection = await loginExternal(port, authority, guest);
  await connection.close();
  await leveret.logged(/connection opened .*user=guest .*mechanism=EXTERNAL/);
  const old = connect({ host: '127.0.0.1', port, ca: authority.cert, maxVersion: 'TLSv1.2' });
  await assert.rejects(once(old, 'secureConnect'), /alert protocol version/);
  authority.write('crl.pem', authority.revocations(guest));
  await leveret.logged(/the certificate has been renewed/);
  await assert.rejects(loginExternal(port, authority, guest));
  await leveret.logged(/not believed: CERT_REVOKED/);
});

test('leveret says in one line what is wrong with its certificate', async (t) => {
  const authority = new Authority(t);
  const { certFile, keyFile } = authority.sign('server');
  const other = authority.sign('other');
  const failures = [
    [['--tls-cert', certFile], /^leveret: --tls-cert and --tls-key go together/],
    [['--tls-cert', `${certFile}?`, '--tls-key', keyFile], /^leveret: cannot read .*\?: ENOENT/],
    [
      ['--tls-cert', certFile, '--tls-key', other.keyFile],
      /^leveret: cannot serve TLS: .*mismatch/,
    ],
  ] as const;
  for (const [args, expected] of failures) {
    const leveret = LeveretProcess.run(t, '--port', '0', '--tls-port', '0', ...args);
    assert.equal((await leveret.exited).code, 1);
    assert.match(leveret.stderr, expected);
  }
});
