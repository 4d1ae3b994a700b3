import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import {
  ALTERNATIVE_NAME_TYPES,
  type CertificateName,
  certificateUser,
  type RunningBroker,
  startBroker,
} from '@leveret/broker';
import * as amqplib from 'amqplib';
import { Inbox } from '../conformance/clients/inbox.js';
import { userOfAnAddress } from '../conformance/differences.js';
import { Authority, type Certificate } from '../tls/certificates.js';
import { loginExternal } from '../tls/external-login.js';
import { ALTERNATIVES, SUBJECTS, signed } from '../tls/subjects.js';
import {
  findRabbitmqServer,
  freePorts,
  type RabbitNode,
  startRabbitNode,
} from './rabbitmq-node.js';

const run = promisify(execFile);
const skip = (await findRabbitmqServer()) === undefined ? 'RabbitMQ is not installed' : false;

/** What a broker says of a login that has failed: who it was, and why. */
type Account = Readonly<Record<string, unknown>>;

const TOLD = ['name', 'error', 'auth_mechanism', 'ssl'];
const SHOWN = ['peer_cert_subject', 'peer_cert_issuer', 'peer_cert_validity'];

/** Tries certificates that are nobody's, and says what the broker makes of each. */
type Try = (port: number, certificate?: Certificate) => Promise<Account>;

/** What it opens goes with the broker. */
async function tryAt(url: string, authority: Authority): Promise<Try> {
  const connection = await amqplib.connect(url);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'amq.rabbitmq.event', 'user.authentication.failure');
  const events = new Inbox<amqplib.ConsumeMessage | null>();
  await channel.consume(queue, events.put, { noAck: true });
  let told = 0;
  return async (port, certificate) => {
    await assert.rejects(loginExternal(port, authority, certificate), /ACCESS.REFUSED/);
    const event = (await events.atLeast(++told)).at(-1);
    const headers = event?.properties.headers ?? {};
    return Object.fromEntries([...TOLD, ...SHOWN].map((name) => [name, textOf(headers[name])]));
  };
}

/** RabbitMQ's text of an error is a list of its octets. */
function textOf(value: unknown): unknown {
  return Array.isArray(value) ? Buffer.from(value).toString() : value;
}

/** A RabbitMQ and Leverets with the same certificate, who believe the same clients. */
class Peers {
  readonly authority: Authority;
  readonly node: RabbitNode;
  readonly #t: TestContext;
  readonly #server: Certificate;
  readonly #tlsPort: number;
  readonly #askRabbit: Try;

  private constructor(
    t: TestContext,
    authority: Authority,
    server: Certificate,
    node: RabbitNode,
    tlsPort: number,
    askRabbit: Try,
  ) {
    this.#t = t;
    this.authority = authority;
    this.#server = server;
    this.node = node;
    this.#tlsPort = tlsPort;
    this.#askRabbit = askRabbit;
  }

  static async start(t: TestContext): Promise<Peers> {
    const authority = new Authority(t);
    const server = authority.sign('server', 'IP:127.0.0.1,DNS:localhost');
    const [tlsPort = 0] = await freePorts(1);
    const node = await startRabbitNode({
      plugins: ['rabbitmq_auth_mechanism_ssl', 'rabbitmq_event_exchange'],
      configuration: [
        `listeners.ssl.1 = 127.0.0.1:${tlsPort}`,
        `ssl_options.cacertfile = ${authority.certFile}`,
        `ssl_options.certfile = ${server.certFile}`,
        `ssl_options.keyfile = ${server.keyFile}`,
        'ssl_options.verify = verify_peer',
        'ssl_options.fail_if_no_peer_cert = false',
        'auth_mechanisms.1 = EXTERNAL',
        'auth_mechanisms.2 = PLAIN',
      ],
    });
    t.after(() => node.stop());
    return new Peers(t, authority, server, node, tlsPort, await tryAt(node.url, authority));
  }

  /** Has both take users' names from there; gives a Leveret, and the ports for TLS. */
  async name(
    from: CertificateName,
  ): Promise<[broker: RunningBroker, ours: number, rabbit: number]> {
    const isNamed = typeof from === 'string';
    const settings = {
      ssl_cert_login_from: isNamed ? from : 'subject_alternative_name',
      ssl_cert_login_san_type: isNamed ? 'dns' : from.subjectAlternativeName,
      ssl_cert_login_san_index: isNamed ? 0 : (from.index ?? 0),
    };
    const calls = Object.entries(settings).map(
      ([name, value]) => `application:set_env(rabbit, ${name}, ${value})`,
    );
    await run(this.node.control, ['eval', `${calls.join(', ')}.`]);
    const { key, cert } = this.#server;
    const credentials = { key, cert, ca: this.authority.cert };
    const tls = { port: 0, ...credentials, clientCertificates: 'request' } as const;
    const broker = await startBroker({ port: 0, tls, externalUser: certificateUser(from) });
    this.#t.after(() => broker.close());
    return [broker, Number(new URL(broker.tlsUrl ?? '').port), this.#tlsPort];
  }

  /** What both make of certificates. */
  async ask(
    from: CertificateName,
    certificates: readonly (Certificate | undefined)[],
  ): Promise<[ours: Account, theirs: Account][]> {
    const [broker, ourPort, rabbitPort] = await this.name(from);
    const askUs = await tryAt(broker.url, this.authority);
    const answers: [Account, Account][] = [];
    for (const certificate of certificates) {
      const ours = await askUs(ourPort, certificate);
      answers.push([ours, await this.#askRabbit(rabbitPort, certificate)]);
    }
    return answers;
  }
}

test('EXTERNAL at Leveret and at RabbitMQ', { skip }, async (t) => {
  const peers = await Peers.start(t);
  const { authority } = peers;
  const nobody = authority.signSubject(['O=nobody'], ALTERNATIVES);
  const certificates = SUBJECTS.map((subject) => signed(authority, subject));

  for (const from of ['distinguished_name', 'common_name'] as const) {
    await t.test(`names the same users by ${from}`, async () => {
      const answers = await peers.ask(from, certificates);
      for (const [ours, theirs] of answers) assert.deepEqual(ours, theirs);
    });
  }

  await t.test('knows the same alternative names, but an address as a text', async () => {
    for (const subjectAlternativeName of ALTERNATIVE_NAME_TYPES) {
      const index = ['uri', 'ip'].includes(subjectAlternativeName) ? 0 : 1;
      const from = { subjectAlternativeName, index };
      const [answer] = await peers.ask(from, [nobody]);
      const [ours, theirs] = answer!;
      if (subjectAlternativeName === 'ip') {
        const { leveret, rabbitmq } = userOfAnAddress;
        assert.deepEqual([ours.name, theirs.name], [leveret, rabbitmq]);
      } else assert.deepEqual(ours, theirs);
    }
  });

  await t.test('is refused in the same words without a certificate, or a name in it', async () => {
    const answers = await peers.ask('common_name', [undefined, nobody]);
    for (const [ours, theirs] of answers) assert.deepEqual(ours, theirs);
  });

  await t.test('needs no password', async () => {
    const [broker, ...ports] = await peers.name('distinguished_name');
    const user = { name: 'CN=client', hashing_algorithm: 'rabbit_password_hashing_sha256' };
    const permission = { user: user.name, vhost: '/', configure: '.*', write: '.*', read: '.*' };
    const file = join(peers.node.directory, 'definitions.json');
    const users = [{ ...user, password_hash: '', tags: '' }];
    writeFileSync(file, JSON.stringify({ users, permissions: [permission] }));
    await run(peers.node.control, ['import_definitions', file]);
    await broker.users.create({ name: user.name });
    broker.permissions.set(permission);
    for (const port of ports) {
      const connection = await loginExternal(port, authority, certificates[0]);
      await connection.createChannel();
      await connection.close();
    }
  });
});
