import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Broker, type Logger } from '@leveret/broker';
import { HandTurnedClock } from '../simulation/hand-turned-clock.js';
import { encodeFrame, frameEnd, frameType, protocolHeader } from '../wire/frame.js';
import { SeededRandom } from '../wire/seeded-random.js';
import {
  encodeContentHeader,
  encodeMethod,
  methodInfos,
  type WireArguments,
} from '../wire/wire-codec.js';
import { mutateFrames } from './mutation.js';
import type { Target } from './target.js';

/** Longer than any of a broker's patience with a peer. */
const LONG_MILLISECONDS = 3_600_000;

const INTERNAL_ERROR = 541;

/** Peers at a time. */
const PEERS_MAX = 200;

const CONNECTION_OPEN_OK = Buffer.from([0, 10, 0, 41]);
const CONNECTION_CLOSE = Buffer.from([0, 10, 0, 50]);

const clientProperties = {
  capabilities: {
    authentication_failure_close: true,
    consumer_cancel_notify: true,
    'connection.blocked': true,
  },
};

/**
 * Peers on streams within the process, from the first octet: whatever they send, each is answered
 * in frames, comes in or is cut off before long, and is forgotten when it goes; no bug is logged.
 */
export const connections: Target = {
  name: 'connections',
  round: 1_200,
  seeds: seeds(),
  mutate: mutateFrames,
  run: async (inputs) => {
    for (let at = 0; at < inputs.length; at += PEERS_MAX) {
      await serve(inputs.slice(at, at + PEERS_MAX));
    }
  },
};

/** A broker for some peers, from its first moment to its last. */
async function serve(inputs: readonly Buffer[]): Promise<void> {
  const bugs: unknown[] = [];
  const clock = new HandTurnedClock();
  const broker = new Broker({
    clock,
    logger: loggerOf(bugs),
    random: new SeededRandom(1),
    anonymousUser: 'guest',
    externalUser: () => ({ reason: 'nobody' }),
  });
  const peers = inputs.map((input) => new Peer(broker, input));
  for (const peer of peers) peer.send();
  await turns();
  clock.advance(LONG_MILLISECONDS);
  await turns();
  for (const peer of peers) peer.checkAnswers();
  for (const peer of peers) peer.end();
  await turns();
  for (const peer of peers) peer.checkGone();
  assert.deepEqual(bugs, [], 'a bug is logged');
  await broker.close();
}

/** Streams inside a process take several ticks to hand on what they have. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await setImmediate();
}

function loggerOf(bugs: unknown[]): Logger {
  const ignore = (): void => {};
  const error = (text: string, fields?: object): void => void bugs.push([text, fields]);
  return { trace: ignore, debug: ignore, info: ignore, warn: ignore, error };
}

class Peer {
  readonly #input: Buffer;
  readonly #duplex: Duplex;
  readonly #theirs: Duplex;
  readonly #answer: Buffer[] = [];

  constructor(broker: Broker, input: Buffer) {
    this.#input = input;
    [this.#duplex, this.#theirs] = duplexPair();
    this.#duplex.on('data', (chunk: Buffer) => this.#answer.push(chunk));
    this.#duplex.on('error', () => {});
    broker.accept(this.#theirs);
  }

  /** In two chunks, so that frames straddle them. */
  send(): void {
    const half = this.#input.length >> 1;
    this.#duplex.write(this.#input.subarray(0, half));
    this.#duplex.write(this.#input.subarray(half));
  }

  end(): void {
    this.#duplex.end();
  }

  checkGone(): void {
    assert.ok(this.#theirs.destroyed, 'the broker has let go of the stream');
  }

  /** Answers are frames; and who has not come in by now is not waited for any longer. */
  checkAnswers(): void {
    let isIn = false;
    let rest: Buffer = Buffer.concat(this.#answer);
    while (rest.length > 0 && rest.toString('latin1', 0, 4) !== 'AMQP') {
      const end = rest.length < 8 ? rest.length : rest.readUInt32BE(3) + 7;
      assert.equal(rest[end], frameEnd, 'answers are frames');
      const method = rest.subarray(7, 11);
      if (method.equals(CONNECTION_OPEN_OK)) isIn = true;
      if (method.equals(CONNECTION_CLOSE))
        assert.notEqual(rest.readUInt16BE(11), INTERNAL_ERROR, 'the broker has failed');
      rest = rest.subarray(end + 1);
    }
    assert.ok(isIn || this.#theirs.destroyed, 'in, or cut off');
  }
}

function seeds(): Buffer[] {
  const opening = (mechanism: string, response: string | Buffer): Buffer[] => [
    method(0, 'connection.start-ok', { clientProperties, mechanism, response }),
    method(0, 'connection.tune-ok', { channelMax: 2047, frameMax: 131_072, heartbeat: 60 }),
    method(0, 'connection.open', { virtualHost: '/' }),
  ];
  const amqplain = Buffer.from('\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x05guest', 'latin1');
  const plain = opening('PLAIN', '\0guest\0guest');
  const names = [...methodInfos.keys()];
  return [
    ...[plain, opening('AMQPLAIN', amqplain), opening('EXTERNAL', ''), opening('ANONYMOUS', '')],
    opening('PLAIN', '\0guest\0wrong'),
    [...plain, method(0, 'connection.close')],
    [...plain, ...work()],
    // Every method there is, a few at a time: most of them end the connection.
    ...[0, 1, 2, 3, 4, 5].map((part) => [
      ...[...plain, method(1, 'channel.open')],
      ...names.filter((_, at) => at % 6 === part).map((name) => method(1, name)),
    ]),
  ].map((frames) => Buffer.concat([protocolHeader, ...frames]));
}

/** A queue, a message in it and out of it. */
function work(): Buffer[] {
  return [
    method(1, 'channel.open'),
    method(1, 'confirm.select'),
    method(1, 'queue.declare', { queue: 'q', arguments: { 'x-max-length': 1 } }),
    method(1, 'queue.bind', { queue: 'q', exchange: 'amq.topic', routingKey: '#' }),
    method(1, 'basic.publish', { exchange: 'amq.topic', routingKey: 'a.b', mandatory: true }),
    encodeFrame(
      frameType.header,
      1,
      encodeContentHeader(4, { deliveryMode: 2, headers: { CC: [] } }),
    ),
    encodeFrame(frameType.body, 1, Buffer.from('body')),
    method(1, 'basic.consume', { queue: 'q', consumerTag: 'c' }),
    method(1, 'basic.ack', { deliveryTag: 1 }),
    method(1, 'basic.get', { queue: 'q' }),
    method(1, 'channel.close'),
  ];
}

function method(channel: number, name: string, args: WireArguments = {}): Buffer {
  return encodeFrame(frameType.method, channel, encodeMethod(name, args));
}
