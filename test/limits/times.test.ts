import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { protocolHeader } from '../wire/frame.js';
import { limitedBroker } from './limited-broker.js';

describe('as long as it may take', () => {
  test('a handshake that does not come to its end, wherever it stops', async (t) => {
    const { broker } = await limitedBroker({ handshakeMilliseconds: 100 });
    const silent = await broker.socket(t);
    await silent.expectEnd();
    const partial = await broker.socket(t);
    partial.send(protocolHeader.subarray(0, 4));
    await partial.expectEnd();
    const nameless = await broker.socket(t);
    nameless.send(protocolHeader);
    await nameless.expectMethod('connection.start', 0);
    await nameless.expectEnd();
    const untuned = await broker.socket(t);
    await untuned.authenticate();
    await untuned.expectEnd();
    const unopened = await broker.socket(t);
    await unopened.authenticate();
    unopened.sendMethod(0, 'connection.tune-ok', { channelMax: 1, frameMax: 4096, heartbeat: 0 });
    await unopened.expectEnd();
    // Who has come to the end of it has all the time there is.
    const opened = await broker.rawChannel(t);
    await (await broker.socket(t)).expectEnd();
    await opened.expectNothing(1);
  });

  test('an octet now and then does not make it longer', async (t) => {
    const { broker } = await limitedBroker({ handshakeMilliseconds: 300 });
    const raw = await broker.socket(t);
    raw.send(protocolHeader);
    await raw.expectMethod('connection.start', 0);
    const dripping = setInterval(() => raw.send(Buffer.of(1)), 20);
    try {
      await raw.expectEnd();
    } finally {
      clearInterval(dripping);
    }
  });

  test('a refused peer is left waiting for so long', async (t) => {
    const { broker } = await limitedBroker({
      refusalMilliseconds: 50,
      handshakeMilliseconds: 3_600_000,
    });
    const raw = await broker.socket(t);
    await raw.start({ password: 'wrong', clientProperties: {} });
    await raw.expectEnd();
  });

  test('a peer that does not answer connection.close is cut off', async (t) => {
    const { broker } = await limitedBroker({ closeMilliseconds: 50 });
    const raw = await broker.raw(t);
    raw.sendMethod(1, 'basic.qos', { prefetchCount: 1 });
    const { args } = await raw.expectMethod('connection.close', 0);
    assert.equal(args.replyCode, 504);
    await raw.expectEnd();
  });
});
