import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import {
  type CertificateName,
  certificateUser,
  type LogFields,
  type RunningBroker,
  startBroker,
} from '@leveret/broker';
import * as amqplib from 'amqplib';
import { repositoryPath } from '../conformance/clients/repository.js';
import { runChecks } from '../conformance/python/checked-program.js';
import { pythonCommand, withoutPython } from '../conformance/python/interpreter.js';
import { Authority, type Certificate } from './certificates.js';
import { loginExternal } from './external-login.js';
import { ALTERNATIVES, SUBJECTS, signed } from './subjects.js';

interface World {
  readonly broker: RunningBroker;
  readonly authority: Authority;
  readonly server: Certificate;
  readonly port: number;
  readonly log: (readonly [text: string, fields: LogFields | undefined])[];
}

async function world(t: TestContext, from: CertificateName): Promise<World> {
  const authority = new Authority(t);
  const server = authority.sign('server', 'DNS:localhost,IP:127.0.0.1');
  const log: [string, LogFields | undefined][] = [];
  const say = (text: string, fields?: LogFields): void => void log.push([text, fields]);
  const logger = { trace: say, debug: say, info: say, warn: say, error: say };
  const { key, cert } = server;
  const tls = { port: 0, key, cert, ca: authority.cert, clientCertificates: 'request' } as const;
  const broker = await startBroker({ port: 0, tls, logger, externalUser: certificateUser(from) });
  t.after(() => broker.close());
  return { broker, authority, server, port: Number(new URL(broker.tlsUrl ?? '').port), log };
}

/** A user without a password who may do everything. */
async function newUser({ broker }: World, user: string): Promise<void> {
  await broker.users.create({ name: user });
  broker.permissions.set({ user, vhost: '/', configure: '.*', write: '.*', read: '.*' });
}

async function assertIn(world: World, certificate: Certificate): Promise<void> {
  const connection = await loginExternal(world.port, world.authority, certificate);
  const channel = await connection.createChannel();
  await channel.assertQueue('', { exclusive: true });
  await connection.close();
}

const noPika = await withoutPython('pika');
const REFUSED = /403 \(ACCESS-REFUSED\)|ACCESS_REFUSED - Login was refused using .* EXTERNAL/;

describe('EXTERNAL', () => {
  test('lets users in by the distinguished names of their certificates', async (t) => {
    const here = await world(t, 'distinguished_name');
    for (const subject of SUBJECTS) {
      await newUser(here, subject.distinguishedName);
      await assertIn(here, signed(here.authority, subject));
      const opened = here.log.findLast(([text]) => text === 'connection opened');
      const { user, mechanism, certificate } = opened?.[1] ?? {};
      const name = subject.distinguishedName;
      assert.deepEqual([user, mechanism, certificate], [name, 'EXTERNAL', name], subject.what);
    }
  });

  test('lets users in by their common names', async (t) => {
    const here = await world(t, 'common_name');
    for (const subject of SUBJECTS) {
      const { commonName } = subject;
      const certificate = signed(here.authority, subject);
      if (commonName === undefined) {
        await assert.rejects(loginExternal(here.port, here.authority, certificate), REFUSED);
        continue;
      }
      if (here.broker.users.get(commonName) === undefined) await newUser(here, commonName);
      await assertIn(here, certificate);
    }
  });

  for (const [subjectAlternativeName, index, name] of [
    ['dns', undefined, 'one.example'],
    ['dns', 1, '*.two.example'],
    ['ip', 0, '10.0.0.1'],
    ['ip', 1, 'fe80::1'],
    ['email', 1, 'second@example.org'],
    ['uri', 0, 'spiffe://example.org/worker'],
    ['other_name', 0, 'upn@example.org'],
    ['other_name', 1, 'Zoë'],
  ] as const) {
    test(`lets users in by alternative names: ${name}`, async (t) => {
      const from = { subjectAlternativeName, ...(index === undefined ? {} : { index }) };
      const here = await world(t, from);
      await newUser(here, name);
      await assertIn(here, here.authority.signSubject(['CN=somebody'], ALTERNATIVES));
      const none = here.authority.sign(name);
      await assert.rejects(loginExternal(here.port, here.authority, none), REFUSED);
    });
  }

  test('refuses whom it does not know, and says in the log who it was and why', async (t) => {
    const here = await world(t, 'common_name');
    const { authority, port, log, broker } = here;
    await assert.rejects(loginExternal(port, authority), REFUSED);
    await assert.rejects(loginExternal(port, authority, authority.sign('nobody')), REFUSED);
    const refusals = log.filter(([text]) => text.startsWith('login'));
    const told = refusals.map(([text, fields]) => [text, fields?.mechanism, fields?.certificate]);
    assert.deepEqual(told, [
      [
        'login refused: connection peer presented no TLS (x.509) certificate',
        'EXTERNAL',
        undefined,
      ],
      ["login of user 'nobody' refused: invalid credentials", 'EXTERNAL', 'CN=nobody'],
    ]);
    assert.deepEqual(broker.logins, { succeeded: 0, failed: 2 });
  });

  test('does not replace permissions, nor passwords', async (t) => {
    const here = await world(t, 'common_name');
    const { authority, port, broker } = here;
    await broker.users.create({ name: 'worker' });
    const worker = authority.sign('worker');
    await assert.rejects(loginExternal(port, authority, worker));
    const refused = "connection refused: access to vhost '/' refused for user 'worker'";
    assert.ok(here.log.some(([text]) => text === refused));
    for (const password of ['', 'worker']) {
      const url = { protocol: 'amqp', port: broker.port, username: 'worker', password };
      await assert.rejects(amqplib.connect(url), /ACCESS.REFUSED/);
    }
    const byPassword = await amqplib.connect(broker.tlsUrl ?? '', { ca: [authority.cert] });
    await byPassword.close();
  });

  test('is offered with TLS only', async (t) => {
    const here = await world(t, 'common_name');
    const { broker, authority } = here;
    const credentials = amqplib.credentials.external();
    await assert.rejects(amqplib.connect(broker.url, { credentials }));
    assert.match(await greeting(here, authority.sign('somebody')), /EXTERNAL AMQPLAIN PLAIN/);
  });

  test('works with pika', { skip: noPika }, async (t) => {
    const here = await world(t, 'distinguished_name');
    await newUser(here, 'CN=pika,O=acme');
    const { certFile, keyFile } = here.authority.signSubject(['O=acme', 'CN=pika']);
    const path = repositoryPath('test/tls/pika_external.py');
    const files = { CA_FILE: here.authority.certFile, CERT_FILE: certFile, KEY_FILE: keyFile };
    await runChecks(t, pythonCommand(path, [], { PORT: String(here.port), ...files }));
  });
});

describe('certificates that have been taken back', () => {
  test('are refused from the moment the list is there', async (t) => {
    const here = await world(t, 'common_name');
    const { broker, authority, server, port, log } = here;
    const credentials = { key: server.key, cert: server.cert, ca: authority.cert };
    const [good, bad] = [authority.sign('good'), authority.sign('bad')];
    await newUser(here, 'good');
    await newUser(here, 'bad');
    broker.renewTls({ ...credentials, crl: authority.revocations() });
    await assertIn(here, bad);
    const session = await sessionOf(port, authority, bad);
    broker.renewTls({ ...credentials, crl: authority.revocations(bad) });
    await assertIn(here, good);
    await assert.rejects(loginExternal(port, authority, bad));
    assert.match(
      log.at(-1)?.[0] ?? '',
      /TLS with \S+ has failed: the client's certificate is not believed: CERT_REVOKED/,
    );
    assert.equal(await isServed(port, authority, bad, session), false, 'nor by an old session');
  });

  test('of several authorities are looked up in one text of several lists', async (t) => {
    const here = await world(t, 'common_name');
    const { broker, authority, server, port } = here;
    const other = new Authority(t, 'other authority');
    const [good, bad] = [other.sign('good'), other.sign('bad')];
    await newUser(here, 'good');
    await newUser(here, 'bad');
    const ca = authority.cert + other.cert;
    const crl = authority.revocations() + other.revocations(bad);
    broker.renewTls({ key: server.key, cert: server.cert, ca, crl });
    await assertIn(here, good);
    await assert.rejects(loginExternal(port, authority, bad));
    const nonsense = { key: server.key, cert: server.cert, ca, crl: 'nonsense' };
    assert.throws(() => broker.renewTls(nonsense), /CRL/);
    await assertIn(here, good);
  });
});

/** The broker's first octets for an openssl with a certificate. */
async function greeting(
  { authority, port }: World,
  { certFile, keyFile }: Certificate,
): Promise<string> {
  const own = ['-cert', certFile, '-key', keyFile, '-CAfile', authority.certFile];
  const args = ['s_client', '-quiet', '-verify_return_error', '-connect', `127.0.0.1:${port}`];
  const client = spawn('openssl', [...args, ...own], { stdio: ['pipe', 'pipe', 'ignore'] });
  client.stdin.write('AMQP\0\0\x09\x01');
  const [chunk] = await once(client.stdout, 'data');
  client.kill();
  return String(chunk);
}

/** A session that the broker has given, to come back with. */
function sessionOf(port: number, { cert: ca }: Authority, own: Certificate): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { key, cert } = own;
    const socket = connect({ host: '127.0.0.1', port, ca, key, cert });
    socket.once('session', (session) => {
      socket.destroy();
      resolve(session);
    });
    socket.once('error', reject);
  });
}

/** Whether the broker says anything to who comes back with a session. */
function isServed(
  port: number,
  { cert: ca }: Authority,
  own: Certificate,
  session: Buffer,
): Promise<boolean> {
  return new Promise((resolve) => {
    const { key, cert } = own;
    const socket = connect({ host: '127.0.0.1', port, ca, key, cert, session });
    socket.write('AMQP\0\0\x09\x01');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {});
    socket.once('close', () => resolve(false));
  });
}
