import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Environment, parseCommandLine, type ServerOptions } from './options.js';
import { StartError } from './start-error.js';

describe('parseCommandLine', () => {
  it('has a default for everything', () => {
    assert.deepEqual(options(), {
      port: 5672,
      bind: [],
      limits: {},
      inMemory: false,
      sync: 'always',
      tlsPort: 5671,
      tlsMinVersion: 'TLSv1.2',
      logLevel: 'info',
      logFormat: 'text',
    });
  });

  it('takes every option', () => {
    const given = options('--port', '0', '--data-dir=/x', '--log-level', 'trace');
    assert.equal(given.port, 0);
    assert.equal(given.dataDir, '/x');
    assert.equal(given.logLevel, 'trace');
    assert.equal(options('--in-memory', '--log-format', 'json').inMemory, true);
    assert.equal(options('--in-memory', '--log-format', 'json').logFormat, 'json');
    assert.equal(options('--sync', 'never').sync, 'never');
    assert.deepEqual(options('--sync=interval:250').sync, { milliseconds: 250 });
  });

  it('takes where users’ names are in certificates', () => {
    const tls = ['--tls-cert=c', '--tls-key=k', '--tls-ca=a'];
    const login = (name: string): unknown => options(...tls, '--tls-login', name).tlsLogin;
    assert.equal(login('distinguished_name'), 'distinguished_name');
    assert.equal(login('common_name'), 'common_name');
    const dns = { subjectAlternativeName: 'dns', index: 0 };
    assert.deepEqual(login('subject_alternative_name'), dns);
    assert.deepEqual(login('subject_alternative_name:email'), {
      subjectAlternativeName: 'email',
      index: 0,
    });
    assert.deepEqual(login('subject_alternative_name:other_name:3'), {
      subjectAlternativeName: 'other_name',
      index: 3,
    });
    for (const wrong of ['', 'cn', 'subject_alternative_name:', 'subject_alternative_name:x:0']) {
      assert.throws(() => login(wrong), StartError, wrong);
    }
    assert.equal(options('--tls-min-version', 'TLSv1.3').tlsMinVersion, 'TLSv1.3');
    assert.throws(() => options('--tls-min-version', 'TLSv1.1'), StartError);
  });

  it('refuses to go by certificates that are not believed', () => {
    for (const option of ['--tls-login=common_name', '--tls-crl=x']) {
      const tls = ['--tls-cert=c', '--tls-key=k'];
      assert.throws(() => options(...tls, option), /needs --tls-cert, --tls-ca, and clients/);
      const none = ['--tls-ca=a', '--tls-clients=none'];
      assert.throws(() => options(...tls, ...none, option), /needs --tls-cert, --tls-ca/);
      options(...tls, '--tls-ca=a', '--tls-clients=request', option);
    }
  });

  it('refuses a sync policy that is none', () => {
    for (const policy of ['sometimes', 'interval', 'interval:0', 'interval:60001', 'interval:-1']) {
      assert.throws(() => options('--sync', policy), StartError, policy);
    }
  });

  it('collects limits, the last of a name', () => {
    const args = ['queuesMax=1', 'connectionsMax=infinity', 'queuesMax=3'];
    const { limits } = options(...args.flatMap((arg) => ['--limit', arg]));
    assert.deepEqual(limits, { queuesMax: 3, connectionsMax: Number.POSITIVE_INFINITY });
  });

  it('takes a user from the arguments, or from what RabbitMQ’s image is told', () => {
    assert.deepEqual(options('--user', 'a:b:c').defaultUser, { name: 'a', password: 'b:c' });
    for (const text of ['secret', ':b', 'a:']) {
      assert.throws(
        () => options('--user', text),
        new StartError('--user takes a name and a password, with a colon between them.'),
      );
    }
    const environment = {
      RABBITMQ_DEFAULT_USER: 'u',
      RABBITMQ_DEFAULT_PASS: 'p',
      RABBITMQ_DEFAULT_VHOST: 'v',
    };
    assert.equal(options().defaultUser, undefined);
    const told = optionsIn(environment);
    assert.deepEqual(told.defaultUser, { name: 'u', password: 'p' });
    assert.equal(told.defaultVhost, 'v');
    assert.deepEqual(optionsIn(environment, '--user', 'a:b').defaultUser?.name, 'a');
    const guest = optionsIn({ RABBITMQ_DEFAULT_PASS: 'p' });
    assert.deepEqual(guest.defaultUser, { name: 'guest', password: 'p' });
  });

  it('collects addresses, an IPv6 one with or without brackets', () => {
    const args = ['127.0.0.1', '[::1]', '::', 'localhost', 'mq-1.example.org'];
    assert.deepEqual(options(...args.flatMap((arg) => ['--bind', arg])).bind, [
      '127.0.0.1',
      '::1',
      '::',
      'localhost',
      'mq-1.example.org',
    ]);
  });

  it('answers --help and --version instead of running', () => {
    assert.deepEqual(parseCommandLine(['--version'], '1.2.3'), { kind: 'answer', text: '1.2.3\n' });
    const help = parseCommandLine(['--help'], '1.2.3');
    assert.ok(help.kind === 'answer' && help.text.startsWith('Usage: leveret [options]\n'));
  });

  const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['--prot', '1'], /^unknown option '--prot' \(Did you mean --port\?\) See leveret --help\.$/],
    [['--port'], /^option '--port <number>' argument missing\. See/],
    [['--port', 'x'], /'x' is invalid\. It must be a whole number from 0 to 65535\. See/],
    [['--port', '65536'], /It must be a whole number from 0 to 65535/],
    [['--port', '-1'], /It must be a whole number from 0 to 65535/],
    [['--port', '0x10'], /It must be a whole number from 0 to 65535/],
    [['--port', ''], /It must be a whole number from 0 to 65535/],
    [['--bind', '127.0.0.1:5672'], /It must be an IP address or a host name, without a port/],
    [['--bind', '300.1.1.1'], /It must be an IP address or a host name/],
    [['--bind', ''], /It must be an IP address or a host name/],
    [['--log-level', 'loud'], /Allowed choices are trace, debug, info, .*silent\. See/],
    [['--limit', 'queuesMax'], /It must be NAME=VALUE, with a whole number or infinity\. See/],
    [['--limit', 'queuesMax=-1'], /It must be NAME=VALUE/],
    [['--limit', 'queueMax=1'], /No limit is called 'queueMax': there are .*queuesMax.*\. See/],
    [
      ['--limit', 'channelsMax=0'],
      /The limit channelsMax is a whole number from 1 to 65535, not 0/,
    ],
    [['--in-memory', '--data-dir', 'x'], /cannot be used with option/],
    [['start'], /^too many arguments/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(' ')} in one line`, () => {
      assert.throws(
        () => parseCommandLine(args, '1.2.3'),
        (error) => {
          assert.ok(error instanceof StartError);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }
});

function options(...args: readonly string[]): ServerOptions {
  return optionsIn({}, ...args);
}

function optionsIn(environment: Environment, ...args: readonly string[]): ServerOptions {
  const commandLine = parseCommandLine(args, '1.2.3', environment);
  assert.equal(commandLine.kind, 'run');
  return commandLine.options;
}
