import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, frameType, protocolHeader } from '../wire/frame.js';
import { connectionClose } from '../wire/raw-connection.js';
import { encodeMethod, longString, shortString, tableContent } from '../wire/wire-codec.js';
import { brokerUnderTest } from './broker-under-test.js';

const broker = await brokerUnderTest();

// RabbitMQ answers most refusals with 3 s of silence, so the refusals wait side by side.
describe('connection handshake', { concurrency: true }, () => {
  test('connection.start offers version 0-9, PLAIN, AMQPLAIN and en_US', async (t) => {
    const raw = await broker.socket(t);
    const { args } = await raw.start();
    assert.deepEqual([args.versionMajor, args.versionMinor], [0, 9]);
    const mechanisms = String(args.mechanisms).split(' ');
    assert.ok(mechanisms.includes('PLAIN') && mechanisms.includes('AMQPLAIN'), `${mechanisms}`);
    assert.equal(args.locales, 'en_US');
  });

  test('server-properties say RabbitMQ and list its capabilities', async (t) => {
    const raw = await broker.socket(t);
    const { args } = await raw.start();
    const properties = args.serverProperties as Record<string, unknown>; // a table
    assert.equal(properties.product, 'RabbitMQ');
    assert.match(String(properties.version), /^3\.\d+\.\d+/);
    for (const name of ['platform', 'information', 'copyright', 'cluster_name']) {
      assert.equal(typeof properties[name], 'string', name);
    }
    assert.deepEqual(properties.capabilities, {
      publisher_confirms: true,
      exchange_exchange_bindings: true,
      'basic.nack': true,
      consumer_cancel_notify: true,
      'connection.blocked': true,
      consumer_priorities: true,
      authentication_failure_close: true,
      per_consumer_qos: true,
      direct_reply_to: true,
    });
  });

  for (const [what, header] of [
    ['AMQP 0-9-2', 'AMQP\x00\x00\x09\x02'],
    ['an HTTP request', 'GET / HTTP/1.1\r\n\r\n'],
    ['another protocol', 'PING\r\nPING\r\n'],
  ] as const) {
    test(`${what} is answered with the header of AMQP 0-9-1, and the end`, async (t) => {
      const raw = await broker.socket(t);
      raw.send(Buffer.from(header, 'latin1'));
      assert.deepEqual(await raw.take(8, 'a protocol header'), protocolHeader);
      await raw.expectEnd();
    });
  }

  test('the header of AMQP 0-9 is accepted', async (t) => {
    const raw = await broker.socket(t);
    raw.send(Buffer.from('AMQP\x01\x01\x00\x09', 'latin1'));
    const { args } = await raw.expectMethod('connection.start', 0);
    assert.deepEqual([args.versionMajor, args.versionMinor], [0, 9]);
  });

  test('a protocol header that comes byte by byte is accepted', async (t) => {
    const raw = await broker.socket(t);
    for (const byte of protocolHeader) raw.send(Buffer.of(byte));
    await raw.expectMethod('connection.start', 0);
  });

  test('AMQPLAIN logs in', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    raw.sendMethod(0, 'connection.start-ok', {
      mechanism: 'AMQPLAIN',
      response: tableContent({ LOGIN: 'guest', PASSWORD: 'guest' }),
      locale: 'en_US',
    });
    await raw.expectMethod('connection.tune', 0);
    await raw.openVhost();
    await raw.close();
  });

  test('a client without properties, capabilities or a known locale may log in', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    raw.sendMethod(0, 'connection.start-ok', {
      mechanism: 'PLAIN',
      response: '\0guest\0guest',
      locale: 'tlh',
    });
    await raw.expectMethod('connection.tune', 0);
    await raw.openVhost();
    await raw.close();
  });

  test('connection_name and unknown client properties are accepted', async (t) => {
    const clientProperties = { connection_name: 'conformance', colour: { nested: [1, 'two'] } };
    const raw = await broker.raw(t, { clientProperties });
    await raw.close();
  });

  for (const [user, password] of [
    ['guest', 'wrong'],
    ['nobody', 'guest'],
  ] as const) {
    test(`403 for ${user}:${password} to a client that asks for it`, async (t) => {
      const raw = await broker.socket(t);
      await raw.start({ user, password });
      await raw.expectClose(
        0,
        connectionClose(
          403,
          'Login was refused using authentication mechanism PLAIN. For details see the broker logfile.',
        ),
      );
    });
  }

  test('403 names AMQPLAIN where that was used', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    raw.sendMethod(0, 'connection.start-ok', {
      clientProperties: { capabilities: { authentication_failure_close: true } },
      mechanism: 'AMQPLAIN',
      response: tableContent({ LOGIN: 'guest', PASSWORD: 'wrong' }),
    });
    await raw.expectClose(
      0,
      connectionClose(
        403,
        'Login was refused using authentication mechanism AMQPLAIN. For details see the broker logfile.',
      ),
    );
  });

  test('a wrong password without that capability: the socket is closed in silence', async (t) => {
    const raw = await broker.socket(t);
    await raw.start({ password: 'wrong', clientProperties: {} });
    await raw.expectEnd();
  });

  test('an unknown mechanism: the socket is closed in silence', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    raw.sendMethod(0, 'connection.start-ok', {
      clientProperties: { capabilities: { authentication_failure_close: true } },
      mechanism: 'CARRIER-PIGEON',
      response: '\0guest\0guest',
    });
    await raw.expectEnd();
  });

  for (const response of ['', 'guest', 'guest\0guest']) {
    test(`a PLAIN response of ${JSON.stringify(response)}: refused`, async (t) => {
      const raw = await broker.socket(t);
      raw.send(protocolHeader);
      await raw.expectMethod('connection.start', 0);
      raw.sendMethod(0, 'connection.start-ok', { mechanism: 'PLAIN', response });
      await raw.expectEnd();
    });
  }

  test('530 for a virtual host that does not exist', async (t) => {
    const raw = await broker.socket(t);
    await raw.authenticate();
    raw.sendMethod(0, 'connection.tune-ok', { channelMax: 10, frameMax: 131072 });
    raw.sendMethod(0, 'connection.open', { virtualHost: 'nowhere' });
    await raw.expectClose(0, connectionClose(530, 'vhost nowhere not found', 'connection.open'));
  });

  test('a method out of turn: the socket is closed in silence', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    raw.sendMethod(0, 'connection.open', { virtualHost: '/' });
    await raw.expectEnd();
  });

  test('a channel before connection.open is 505', async (t) => {
    const raw = await broker.socket(t);
    await raw.authenticate();
    raw.sendMethod(0, 'connection.tune-ok', { channelMax: 10, frameMax: 131072 });
    raw.sendMethod(1, 'channel.open');
    await raw.expectClose(0, connectionClose(505, 'type 1, all octets = <<0,20,0,10,0>>'));
  });

  test('garbage after the protocol header: the socket is closed in silence', async (t) => {
    const raw = await broker.socket(t);
    raw.send(Buffer.concat([protocolHeader, Buffer.from('not a frame, by any means')]));
    await raw.expectMethod('connection.start', 0);
    await raw.expectEnd();
  });

  test('start-ok whose table is cut short: the socket is closed in silence', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    const whole = encodeMethod('connection.start-ok', { mechanism: 'PLAIN', response: 'x' });
    raw.send(encodeFrame(frameType.method, 0, whole.subarray(0, 6)));
    await raw.expectEnd();
  });

  test('a handshake of many small pieces succeeds', async (t) => {
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    const startOk = Buffer.concat([
      Buffer.from([0, 10, 0, 11]),
      longString(tableContent({ product: 'pieces' })),
      shortString('PLAIN'),
      longString('\0guest\0guest'),
      shortString('en_US'),
    ]);
    for (const byte of encodeFrame(frameType.method, 0, startOk)) raw.send(Buffer.of(byte));
    await raw.expectMethod('connection.tune', 0);
  });

  test('a client that says nothing is cut off after the handshake timeout', async (t) => {
    const raw = await broker.socket(t);
    await raw.expectEnd();
  });
});
